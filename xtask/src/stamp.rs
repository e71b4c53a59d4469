//! Skipping work whose inputs have not changed since it was last done.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The fingerprint of some inputs, and the file that remembers it.
pub(crate) struct Stamp {
    file: PathBuf,
    fingerprint: String,
}

impl Stamp {
    /// Takes the fingerprint of files and folders: their names and contents, not their times.
    /// What does not exist counts as absent. `node_modules` and `dist` inside a folder are left out.
    pub(crate) fn of(file: PathBuf, inputs: &[PathBuf]) -> Result<Self> {
        let mut paths = BTreeSet::new();
        for input in inputs {
            paths.extend(files(input)?);
        }
        let mut hasher = DefaultHasher::new();
        for path in paths {
            let content =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            hasher.write(path.as_os_str().as_encoded_bytes());
            hasher.write_u64(content.len() as u64);
            hasher.write(&content);
        }
        Ok(Self {
            file,
            fingerprint: format!("{:016x}\n", hasher.finish()),
        })
    }

    /// Whether the work was done with the very same inputs, and what it made is still there.
    pub(crate) fn is_fresh(&self, outputs: &[PathBuf]) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|kept| kept == self.fingerprint)
            && outputs.iter().all(|output| output.exists())
    }

    /// Remembers that the work is done.
    pub(crate) fn keep(&self) -> Result<()> {
        let cannot = || format!("cannot write {}", self.file.display());
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder).with_context(cannot)?;
        }
        fs::write(&self.file, &self.fingerprint).with_context(cannot)
    }
}

/// The files under a folder (or the file itself), in order, without node_modules and dist.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(path
            .exists()
            .then(|| path.to_path_buf())
            .into_iter()
            .collect());
    }
    let cannot = || format!("cannot list {}", path.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(path).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        if entry.file_name() != "node_modules" && entry.file_name() != "dist" {
            found.extend(files(&entry.path())?);
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_until_an_input_changes_or_an_output_goes() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        let (input, made) = (folder.join("src"), folder.join("made"));
        fs::create_dir_all(&input)?;
        fs::write(input.join("a"), "1")?;
        fs::write(&made, "")?;
        let stamp = || Stamp::of(folder.join("stamp"), std::slice::from_ref(&input));

        assert!(
            !stamp()?.is_fresh(std::slice::from_ref(&made)),
            "never kept"
        );
        stamp()?.keep()?;
        assert!(stamp()?.is_fresh(std::slice::from_ref(&made)));
        fs::write(input.join("a"), "2")?;
        assert!(!stamp()?.is_fresh(std::slice::from_ref(&made)), "changed");
        stamp()?.keep()?;
        fs::write(input.join("b"), "")?;
        assert!(!stamp()?.is_fresh(std::slice::from_ref(&made)), "grown");
        stamp()?.keep()?;
        fs::remove_file(&made)?;
        assert!(!stamp()?.is_fresh(std::slice::from_ref(&made)), "unmade");
        fs::remove_dir_all(&folder)?;
        Ok(())
    }
}
