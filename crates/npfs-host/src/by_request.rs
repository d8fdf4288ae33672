//! What belongs to requests, in order of the requests.
//!
//! A sorted list: there are few at a time, and a map for every type in it would be a good part of
//! what a user's first build compiles.

use npfs_abi::RequestId;

pub(crate) struct ByRequest<V>(Vec<(RequestId, V)>);

impl<V> Default for ByRequest<V> {
    fn default() -> ByRequest<V> {
        ByRequest(Vec::new())
    }
}

impl<V> ByRequest<V> {
    fn place(&self, request: &RequestId) -> Result<usize, usize> {
        self.0.binary_search_by_key(request, |(of, _)| *of)
    }

    pub(crate) fn get(&self, request: &RequestId) -> Option<&V> {
        self.place(request).ok().map(|place| &self.0[place].1)
    }

    pub(crate) fn get_mut(&mut self, request: &RequestId) -> Option<&mut V> {
        self.place(request).ok().map(|place| &mut self.0[place].1)
    }

    pub(crate) fn insert(&mut self, request: RequestId, value: V) {
        match self.place(&request) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (request, value)),
        }
    }

    pub(crate) fn remove(&mut self, request: &RequestId) -> Option<V> {
        self.place(request).ok().map(|place| self.0.remove(place).1)
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&RequestId) -> bool) {
        self.0.retain(|(request, _)| keep(request));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(RequestId, V)> {
        self.0.iter()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
