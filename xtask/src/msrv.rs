//! The oldest Rust that the crates say they need.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::process::output;
use crate::project::Project;
use crate::say;

/// No dependency may need a newer Rust than the workspace's `rust-version`. That our own code gets by with it is shown
/// only where the installed rustc is that very version, which is said.
pub(crate) fn check(project: &Project) -> Result<()> {
    let metadata = output(&mut project.cargo(["metadata", "--format-version=1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let stated = packages
        .iter()
        .find(|package| package["name"] == "presence-core")
        .and_then(|package| package["rust_version"].as_str())
        .context("presence-core states no rust-version")?;
    let ours = version(stated)?;
    let mut newer = Vec::new();
    for package in packages {
        if let Some(needed) = package["rust_version"].as_str()
            && version(needed)? > ours
        {
            newer.push(format!("{} needs Rust {needed}", package["name"]));
        }
    }
    ensure!(
        newer.is_empty(),
        "the workspace says that Rust {stated} is enough, but {}",
        newer.join(", ")
    );
    let rustc = output(std::process::Command::new("rustc").arg("--version"))?;
    let installed = version(rustc.split(' ').nth(1).context("rustc has no version")?)?;
    say::step(&if installed[..2] == ours[..2] {
        format!("Rust {stated} is installed, so every other suite tests the stated version")
    } else {
        format!(
            "{} is not {stated}: the dependencies alone are checked",
            rustc.trim()
        )
    });
    Ok(())
}

/// `1.95` or `1.95.0`, perhaps with `-nightly` after it.
fn version(text: &str) -> Result<[u32; 3]> {
    let number = text.split('-').next().unwrap_or(text);
    let mut version = [0; 3];
    for (place, part) in version.iter_mut().zip(number.split('.')) {
        *place = part
            .parse()
            .with_context(|| format!("{text} is no version"))?;
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_compared_by_number() {
        let read = |text| version(text).unwrap();
        assert!(read("1.100") > read("1.95.3"));
        assert_eq!(read("1.95"), read("1.95.0-nightly"));
        assert!(version("new").is_err());
    }
}
