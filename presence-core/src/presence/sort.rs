use alloc::collections::BinaryHeap;
use alloc::vec::Vec;

/// Sorts stably by what `key` gives. The keys are sorted by themselves, so that one sort serves all kinds of lists:
/// each further one would cost every page that loads this as wasm several kilobytes.
pub(super) fn sort_by_key<T>(list: &mut Vec<T>, key: impl Fn(&T) -> u64) {
    if list.is_sorted_by_key(&key) {
        return;
    }
    // A heap takes a tenth of the code of the standard sorts, and lists out of order are rare.
    let places: BinaryHeap<(u64, u32)> = list.iter().map(key).zip(0..).collect();
    let places = places.into_sorted_vec();
    let mut taken: Vec<Option<T>> = list.drain(..).map(Some).collect();
    let place = |&(_, at): &(u64, u32)| taken.get_mut(at as usize).and_then(Option::take);
    list.extend(places.iter().filter_map(place));
}

#[cfg(test)]
mod tests {
    use super::sort_by_key;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn equal_keys_keep_their_order() {
        let mut list = vec![(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd'), (1, 'e')];
        sort_by_key(&mut list, |&(key, _)| key);
        assert_eq!(list, [(0, 'd'), (1, 'b'), (1, 'e'), (2, 'a'), (2, 'c')]);
    }
}
