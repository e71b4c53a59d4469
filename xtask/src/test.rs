//! `cargo xtask test`: every suite, one after the other, whatever the one before said.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anstream::println;
use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::say::{self, BOLD, DIM, GREEN, RED};
use crate::suites::{Need, SUITES, Suite};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this suite; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Name the suites and what they are for
    #[arg(long)]
    list: bool,
}

/// What has been prepared already, and what could not be.
type Prepared = BTreeMap<Need, Result<(), String>>;

pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    if options.list {
        for suite in SUITES {
            println!("{BOLD}{:12}{BOLD:#} {}", suite.name, suite.about);
        }
        return Ok(());
    }
    let suites = chosen(&options.only)?;
    let started = Instant::now();
    let mut prepared = Prepared::new();
    let mut results = Vec::new();
    for (index, suite) in suites.iter().enumerate() {
        let (number, of, name, about) = (index + 1, suites.len(), suite.name, suite.about);
        println!("\n{BOLD}[{number}/{of}] {name}{BOLD:#}{DIM} · {about}{DIM:#}");
        let begun = Instant::now();
        let outcome = prepare(suite, project, &mut prepared).and_then(|()| (suite.run)(project));
        if let Err(error) = &outcome {
            say::failure(&format!("{error:#}"));
        }
        results.push((name, outcome, begun.elapsed()));
    }
    report(&results, started.elapsed())
}

fn chosen(only: &[String]) -> Result<Vec<&'static Suite>> {
    if only.is_empty() {
        return Ok(SUITES.iter().collect());
    }
    only.iter()
        .map(|name| {
            SUITES
                .iter()
                .find(|suite| suite.name == name)
                .with_context(|| {
                    let names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
                    format!("there is no suite {name:?}; there are {}", names.join(", "))
                })
        })
        .collect()
}

/// Prepares what the suite needs; each thing once, in the order of the suite's list.
fn prepare(suite: &Suite, project: &Project, prepared: &mut Prepared) -> Result<()> {
    for need in suite.needs {
        let outcome = prepared
            .entry(*need)
            .or_insert_with(|| need.prepare(project).map_err(|error| format!("{error:#}")));
        if let Err(reason) = outcome {
            bail!("not run, for lack of what it needs: {reason}");
        }
    }
    Ok(())
}

fn report(results: &[(&str, Result<()>, Duration)], total: Duration) -> Result<()> {
    println!();
    for (name, outcome, time) in results {
        let time = say::duration(*time);
        match outcome {
            Ok(()) => println!("{GREEN}✓{GREEN:#} {name:14} {time:>14}"),
            Err(error) => {
                // The first line is enough here: the whole story stands above.
                let error = format!("{error:#}");
                let first = error.lines().next().unwrap_or_default();
                println!("{RED}✗{RED:#} {name:14} {time:>14}  {first}");
            }
        }
    }
    let failed = results
        .iter()
        .filter(|(_, outcome, _)| outcome.is_err())
        .count();
    println!("  {:14} {:>14}\n", "in all", say::duration(total));
    println!("suites: {} passed, {failed} failed", results.len() - failed);
    if failed > 0 {
        bail!("{failed} of {} suites failed", results.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_suite_is_refused_with_the_names_there_are() {
        let Err(error) = chosen(&["nonsense".to_owned()]) else {
            panic!("there is no such suite");
        };
        assert!(error.to_string().contains("nonsense"));
        assert!(error.to_string().contains(SUITES[0].name));
    }

    #[test]
    fn one_failing_suite_fails_the_run() {
        let time = Duration::from_secs(1);
        assert!(report(&[("a", Ok(()), time)], time).is_ok());
        let results = [("a", Ok(()), time), ("b", Err(anyhow::anyhow!("no")), time)];
        let error = report(&results, time).expect_err("b failed");
        assert_eq!(error.to_string(), "1 of 2 suites failed");
    }

    #[test]
    fn suite_names_are_unique() {
        let mut names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SUITES.len());
    }
}
