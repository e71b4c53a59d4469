//! libFuzzer over presence-core: see `presence-core/fuzz`.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::project::Project;
use crate::{process, say, setup};

/// The targets by themselves need nothing of the kind; these few lines do.
const CRATE: &str = "presence-core/fuzz/libfuzzer";
const CORPUS: &str = "presence-core/fuzz/corpus";

/// Five targets for a minute each, beside what building takes.
const DEFAULT_MINUTES: f64 = 5.0;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many inputs to try on each target
    #[arg(long, conflicts_with = "minutes")]
    count: Option<u64>,
    /// How long to look, all targets together; 5 minutes, if there is no count
    #[arg(long)]
    minutes: Option<f64>,
    /// The seed of the inputs; a new one each time if none is given
    #[arg(long)]
    seed: Option<u32>,
    /// Only this target; may be repeated
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
}

pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let targets = chosen(project, &options.target)?;
    setup::cargo_fuzz(project)?;
    say::step("Building the fuzz targets");
    process::run(cargo_fuzz(project, "build").args(&targets[..usize::from(targets.len() == 1)]))?;
    // libFuzzer takes 0 for none given.
    let seed = options
        .seed
        .unwrap_or_else(|| std::process::id() ^ since_start())
        .max(1);
    let minutes = options.minutes.unwrap_or(DEFAULT_MINUTES);
    let limit = match options.count {
        Some(count) => format!("-runs={count}"),
        None => {
            let seconds = (minutes * 60.0 / targets.len() as f64).ceil().max(1.0);
            format!("-max_total_time={seconds}")
        }
    };
    for target in &targets {
        fuzz(project, target, &limit, seed)?;
    }
    say::note(&format!("{} targets held, seed {seed}", targets.len()));
    Ok(())
}

/// Each has a folder of files to start from.
fn chosen(project: &Project, only: &[String]) -> Result<Vec<String>> {
    let folder = project.path(CORPUS);
    let mut targets = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {folder:?}"))? {
        targets.push(entry?.file_name().to_string_lossy().into_owned());
    }
    targets.sort();
    for name in only {
        ensure!(
            targets.contains(name),
            "there is no target {name:?}; there are {}",
            targets.join(", ")
        );
    }
    targets.retain(|target| only.is_empty() || only.contains(target));
    Ok(targets)
}

fn fuzz(project: &Project, target: &str, limit: &str, seed: u32) -> Result<()> {
    say::step(&format!("Fuzzing {target}"));
    let found = project.scratch("fuzz/found").join(target);
    fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
    let crash = project.scratch("fuzz").join(format!("{target}-"));
    let log = project.scratch("fuzz").join(format!("{target}.log"));
    let started = Instant::now();
    let mut command = cargo_fuzz(project, "run");
    command
        .arg(target)
        .arg(&found)
        .arg(project.path(CORPUS).join(target))
        .arg("--")
        .args([
            limit,
            &format!("-seed={seed}"),
            "-timeout=10",
            "-print_final_stats=1",
        ])
        .arg(format!("-artifact_prefix={}", crash.display()));
    let succeeded = run_into(&mut command, &log)?;
    let said = fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let said = String::from_utf8_lossy(&said);
    let stat = |name: &str| said.lines().find_map(|line| line.split_once(name));
    if !succeeded {
        let lines: Vec<_> = said.lines().collect();
        say::note(&lines[lines.len().saturating_sub(40)..].join("\n"));
        let (_, file) = stat("Test unit written to ").unwrap_or_default();
        bail!(
            "{target} failed with seed {seed} on {file}\nAgain, without libFuzzer: copy it into \
             {CORPUS}/{target}/, then cargo test -p presence-fuzz"
        );
    }
    let (_, executed) = stat("stat::number_of_executed_units:").context("it ran nothing")?;
    say::note(&format!(
        "{target}: {} inputs in {}, seed {seed}: nothing found",
        executed.trim(),
        say::duration(started.elapsed())
    ));
    Ok(())
}

/// All that it says goes into a file: libFuzzer tells of every step.
fn run_into(command: &mut Command, log: &Path) -> Result<bool> {
    let line = process::describe(command);
    say::command(&line);
    let cannot = || format!("cannot write {}", log.display());
    let file = File::create(log).with_context(cannot)?;
    let status = command
        .stdin(std::process::Stdio::null())
        .stdout(file.try_clone().with_context(cannot)?)
        .stderr(file)
        .status()
        .with_context(|| format!("cannot run `{line}`"))?;
    Ok(status.success())
}

/// Of nightly's: this binary's own cargo is another.
fn cargo_fuzz(project: &Project, what: &str) -> Command {
    let mut command = project.command("rustup");
    command
        .args(["run", "nightly", "cargo", "fuzz", what])
        .args(["--fuzz-dir", CRATE, "--target-dir"])
        .arg(project.scratch("fuzz/target"))
        .env_remove("CARGO")
        .env_remove("CARGO_TARGET_DIR");
    command
}

/// Another number each time.
fn since_start() -> u32 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| time.subsec_nanos())
}
