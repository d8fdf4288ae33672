//! The graph of all states: how many ways lead where, and which way is the simplest.
//!
//! A search writes down states and edges in whatever order it meets them. [`Graph::new`] numbers
//! the states anew, breadth first and choices in order, so that everything said about a graph is
//! the same whoever found it. Every way to a state has the same number of steps, because a state
//! knows how many steps each thread has made: so the order of the numbers is topological.

use std::collections::VecDeque;

use crate::schedule::Choice;

/// A step from one state to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Edge {
    pub(crate) from: u32,
    pub(crate) choice: Choice,
    pub(crate) to: u32,
}

/// All states, the first one being the start.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    /// The edges of state n are those from `starts[n]` to `starts[n + 1]`.
    starts: Vec<u32>,
    edges: Vec<Edge>,
    pub(crate) depths: Vec<u32>,
    /// The number that the search gave to each state.
    pub(crate) found_as: Vec<u32>,
    threads: usize,
}

/// A way from the start to a state.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Way {
    pub(crate) preemptions: u32,
    pub(crate) schedule: Vec<Choice>,
}

impl Graph {
    /// The graph with these edges of states that were numbered as they were found.
    pub(crate) fn new(states: usize, mut edges: Vec<Edge>, threads: usize) -> Graph {
        edges.sort_unstable();
        let starts = starts(states, &edges);
        let mut number = vec![u32::MAX; states];
        let mut found_as = Vec::with_capacity(states);
        let mut depths = Vec::with_capacity(states);
        if states > 0 {
            number[0] = 0;
            found_as.push(0);
            depths.push(0);
        }
        let mut next = 0;
        while next < found_as.len() {
            let old = found_as[next] as usize;
            for edge in &edges[starts[old] as usize..starts[old + 1] as usize] {
                let to = &mut number[edge.to as usize];
                if *to == u32::MAX {
                    *to = found_as.len() as u32;
                    found_as.push(edge.to);
                    depths.push(depths[next] + 1);
                }
            }
            next += 1;
        }
        for edge in &mut edges {
            edge.from = number[edge.from as usize];
            edge.to = number[edge.to as usize];
        }
        edges.sort_unstable();
        let starts = self::starts(found_as.len(), &edges);
        Graph { starts, edges, depths, found_as, threads }
    }

    pub(crate) fn states(&self) -> usize {
        self.found_as.len()
    }

    pub(crate) fn transitions(&self) -> usize {
        self.edges.len()
    }

    fn out(&self, state: usize) -> &[Edge] {
        &self.edges[self.starts[state] as usize..self.starts[state + 1] as usize]
    }

    /// How many ways lead to each state; `u128::MAX` stands for that and more.
    pub(crate) fn ways(&self) -> Vec<u128> {
        let mut ways = vec![0_u128; self.states()];
        if let Some(first) = ways.first_mut() {
            *first = 1;
        }
        for state in 0..self.states() {
            for edge in self.out(state) {
                let to = edge.to as usize;
                ways[to] = ways[to].saturating_add(ways[state]);
            }
        }
        ways
    }

    /// The way with the fewest preemptions to each of the `targets`, over states that are
    /// `allowed`. A preemption is a step away from a thread that could have gone on.
    ///
    /// A search in which steps without preemption come first, over states together with the
    /// thread that made the last step: nothing shorter is left out.
    pub(crate) fn simplest(
        &self,
        targets: &dyn Fn(usize) -> bool,
        allowed: &dyn Fn(usize) -> bool,
    ) -> Option<Way> {
        let fewest = self.fewest_preemptions(allowed);
        // Then the fewest steps, then the lower number.
        let reached = (0..self.states()).filter(|state| fewest.best[*state] != u32::MAX);
        let target = reached
            .filter(|state| targets(*state))
            .min_by_key(|state| (fewest.best[*state], self.depths[*state], *state))?;
        Some(fewest.way(self, target))
    }

    /// The fewest preemptions of a way to each state.
    pub(crate) fn fewest_preemptions(&self, allowed: &dyn Fn(usize) -> bool) -> Fewest {
        let width = self.threads + 1;
        let mut fewest = Fewest {
            width,
            costs: vec![u32::MAX; self.states() * width],
            parents: vec![(u32::MAX, 0); self.states() * width],
            best: vec![u32::MAX; self.states()],
        };
        if self.states() == 0 || !allowed(0) {
            return fewest;
        }
        let mut queue = VecDeque::new();
        // Nobody ran before the start; the clock stands for nobody.
        fewest.costs[0] = 0;
        queue.push_back((0_u32, 0_usize, 0_u32));
        while let Some((state, last, cost)) = queue.pop_front() {
            let node = state as usize * width + last;
            if fewest.costs[node] < cost {
                continue;
            }
            let best = &mut fewest.best[state as usize];
            *best = (*best).min(cost);
            let could_go_on = last > 0
                && self
                    .out(state as usize)
                    .iter()
                    .any(|edge| edge.choice.thread_or_clock() == last);
            for (place, edge) in self.out(state as usize).iter().enumerate() {
                if !allowed(edge.to as usize) {
                    continue;
                }
                let next = edge.choice.thread_or_clock();
                let preempts = could_go_on && next != last;
                let cost = cost + u32::from(preempts);
                let node_to = edge.to as usize * width + next;
                if cost < fewest.costs[node_to] {
                    fewest.costs[node_to] = cost;
                    fewest.parents[node_to] =
                        (self.starts[state as usize] + place as u32, last as u32);
                    if preempts {
                        queue.push_back((edge.to, next, cost));
                    } else {
                        queue.push_front((edge.to, next, cost));
                    }
                }
            }
        }
        fewest
    }
}

/// The fewest preemptions to every state, and the ways.
#[derive(Clone, Debug)]
pub(crate) struct Fewest {
    width: usize,
    /// By state and the thread of the last step.
    costs: Vec<u32>,
    /// The edge of the last step, and the thread of the step before it.
    parents: Vec<(u32, u32)>,
    pub(crate) best: Vec<u32>,
}

impl Fewest {
    /// The way with the fewest preemptions to a state that can be reached.
    pub(crate) fn way(&self, graph: &Graph, state: usize) -> Way {
        let preemptions = self.best[state];
        let nodes = &self.costs[state * self.width..(state + 1) * self.width];
        let mut last = nodes.iter().position(|cost| *cost == preemptions).unwrap_or(0);
        let mut state = state;
        let mut schedule = Vec::new();
        loop {
            let (edge, before) = self.parents[state * self.width + last];
            let Some(edge) = graph.edges.get(edge as usize) else { break };
            schedule.push(edge.choice);
            (state, last) = (edge.from as usize, before as usize);
        }
        schedule.reverse();
        Way { preemptions, schedule }
    }
}

fn starts(states: usize, edges: &[Edge]) -> Vec<u32> {
    let mut starts = vec![0_u32; states + 1];
    for edge in edges {
        starts[edge.from as usize + 1] += 1;
    }
    for state in 0..states {
        starts[state + 1] += starts[state];
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::{Edge, Graph};
    use crate::schedule::Choice;

    /// Two threads with two steps each that have nothing to do with each other.
    fn grid() -> Graph {
        let mut edges = Vec::new();
        for one in 0..3_u32 {
            for two in 0..3_u32 {
                let from = one * 3 + two;
                if one < 2 {
                    edges.push(Edge { from, choice: Choice::thread(0), to: from + 3 });
                }
                if two < 2 {
                    edges.push(Edge { from, choice: Choice::thread(1), to: from + 1 });
                }
            }
        }
        Graph::new(9, edges, 2)
    }

    #[test]
    fn ways_are_counted() {
        let graph = grid();
        assert_eq!((graph.states(), graph.transitions()), (9, 12));
        assert_eq!(graph.ways()[8], 6);
        assert_eq!(graph.depths[8], 4);
    }

    #[test]
    fn the_simplest_way_has_the_fewest_preemptions() {
        let graph = grid();
        let way = graph.simplest(&|state| state == 8, &|_| true).unwrap();
        assert_eq!(way.preemptions, 0);
        assert_eq!(way.schedule.len(), 4);
        // Both in the middle: the first thread was left while it could go on.
        let middle = (0..9).find(|state| graph.found_as[*state] == 4).unwrap();
        let way = graph.simplest(&|state| state == middle, &|_| true).unwrap();
        assert_eq!((way.preemptions, way.schedule.len()), (1, 2));
        assert!(graph.simplest(&|state| state == 8, &|state| state != 0).is_none());
    }
}
