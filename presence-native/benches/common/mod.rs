//! What the benches share: a server that costs little, in a process of its own, and the bare client to compare with.

pub(crate) mod bare;
pub(crate) mod source;

/// The middle one.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
