use alloc::collections::BinaryHeap;
use alloc::vec::Vec;

/// Sorts stably by what `key` gives. The keys are sorted by themselves, so that one sort serves all kinds of lists:
/// each further one would cost every page that loads this as wasm several kilobytes.
pub(super) fn sort_by_key<T>(list: &mut [T], key: impl Fn(&T) -> u64) {
    if list.is_sorted_by_key(&key) {
        return;
    }
    let mut places = sorted_places(&mut list.iter().map(key));
    for start in 0..list.len() {
        let mut at = start;
        // Around one cycle of the permutation, whose places are the items' own afterwards.
        while let Some((_, place)) = places.get_mut(at) {
            let from = core::mem::replace(place, at as u32) as usize;
            if from == start {
                break;
            }
            list.swap(at, from);
            at = from;
        }
    }
}

/// The keys in order, each with its place before.
fn sorted_places(keys: &mut dyn Iterator<Item = u64>) -> Vec<(u64, u32)> {
    // A heap takes a tenth of the code of the standard sorts, and lists out of order are rare.
    let places: BinaryHeap<(u64, u32)> = keys.zip(0..).collect();
    places.into_sorted_vec()
}

#[cfg(test)]
mod tests {
    use super::sort_by_key;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn any_order_becomes_the_sorted_one() {
        for count in 0..6_u64 {
            for seed in 0..count.pow(count as u32).max(1) {
                let digits = (0..count).map(|at| seed / count.pow(at as u32) % count);
                let mut list: Vec<(u64, u64)> = digits.zip(0..).collect();
                let mut sorted = list.clone();
                sorted.sort();
                sort_by_key(&mut list, |&(key, _)| key);
                assert_eq!(list, sorted);
            }
        }
    }

    #[test]
    fn equal_keys_keep_their_order() {
        let mut list = vec![(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd'), (1, 'e')];
        sort_by_key(&mut list, |&(key, _)| key);
        assert_eq!(list, [(0, 'd'), (1, 'b'), (1, 'e'), (2, 'a'), (2, 'c')]);
    }
}
