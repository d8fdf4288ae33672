//! The words of an operation: which handles and requests it names.

use npfs_abi::{Names, Op};
use npfs_trace::scenario::Word;

/// A word of an operation, to be read or replaced.
pub(crate) enum Named<'a> {
    /// It names a handle.
    Handle(&'a mut Word),
    /// It names a request.
    Request(&'a mut Word),
}

struct Visitor<'a>(&'a mut dyn FnMut(Named<'_>));

impl Names<Word, Word> for Visitor<'_> {
    type Handle = Word;
    type Request = Word;
    fn handle(&mut self, handle: &Word) -> Word {
        let mut word = handle.clone();
        (self.0)(Named::Handle(&mut word));
        word
    }
    fn request(&mut self, request: &Word) -> Word {
        let mut word = request.clone();
        (self.0)(Named::Request(&mut word));
        word
    }
}

/// Shows every word of `op` to `visit`, in the order of the arguments.
pub(crate) fn visit(op: &mut Op<Word, Word>, visit: &mut dyn FnMut(Named<'_>)) {
    *op = op.map(&mut Visitor(visit));
}

#[cfg(test)]
mod tests {
    use super::*;
    use npfs_abi::{Call, Delivery};

    #[test]
    fn every_word_of_a_read_is_shown() {
        let mut op = Op::Call(Call::ReadFile {
            file: Word::from("s"),
            length: 64,
            delivery: Delivery::overlapped(Some(Word::from("e"))),
        });
        let mut seen = Vec::new();
        visit(&mut op, &mut |word| match word {
            Named::Handle(word) => seen.push(format!("handle {word}")),
            Named::Request(word) => seen.push(format!("request {word}")),
        });
        assert_eq!(seen, ["handle s", "handle e"]);
    }
}
