//! What both stores promise; which of them is tested says the feature `explore`.

use alloc::vec::Vec;

use super::Store;

#[test]
fn a_name_is_stale_once_its_object_is_gone() {
    let mut store = Store::default();
    let (first, other) = (store.insert('a'), store.insert('b'));
    assert_eq!(store.remove(first), 'a');
    let again = store.insert('c');
    assert_eq!(again.place(), first.place(), "the place freed last is dealt first");
    assert_eq!(store.get(first), None, "the new object has another name");
    assert_eq!((store.get(other), store.get(again)), (Some(&'b'), Some(&'c')));
    assert_eq!(store.iter().map(|(_, value)| *value).collect::<Vec<_>>(), ['c', 'b']);
    assert_eq!(store.len(), 2);
}

#[test]
#[should_panic(expected = "a stale name was used")]
fn a_stale_name_changes_nothing() {
    let mut store = Store::default();
    let gone = store.insert('a');
    store.remove(gone);
    store.insert('b');
    store.edit(gone);
}
