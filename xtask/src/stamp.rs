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
            collect(input, &mut paths)?;
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

fn collect(path: &Path, into: &mut BTreeSet<PathBuf>) -> Result<()> {
    if path.is_dir() {
        let entries =
            fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", path.display()))?;
            if entry.file_name() != "node_modules" && entry.file_name() != "dist" {
                collect(&entry.path(), into)?;
            }
        }
    } else if path.exists() {
        into.insert(path.to_path_buf());
    }
    Ok(())
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
