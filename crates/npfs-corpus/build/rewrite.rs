//! Rewrites a source file to run over the simulation, and leaves its lines where they are.
//!
//! - `std`, `windows_sys` and `crate` at the root of a path lead to this crate: to its surface, and
//!   to the module that the library has become.
//! - Conditions are those of Windows, of the chosen features, of a debug build without tests.
//! - Attributes of the whole library are removed, as they speak of a crate, and those that name a
//!   library of Windows to link.

use std::ops::Range;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A condition that holds: the host is a Unix.
const YES: &str = "unix";
/// A condition that does not.
const NO: &str = "windows";

/// What is different from library to library.
pub struct Options {
    /// Where the library has become a module.
    pub crate_path: String,
    /// The module of the surface that stands for std.
    pub std: &'static str,
    /// The module of the surface that has the types of its windows-sys.
    pub windows_sys: &'static str,
    /// The features it is built with.
    pub features: &'static [&'static str],
}

/// The new text, or what cannot be read.
pub fn rewrite(text: &str, options: &Options) -> Result<String, String> {
    let tokens: TokenStream = text.parse().map_err(|why| format!("{why}"))?;
    let mut work = Work { options, edits: Vec::new() };
    work.attributes(&tokens);
    work.paths(tokens);
    work.edits.sort_by_key(|(range, _)| range.start);
    let mut new = String::with_capacity(text.len() + text.len() / 8);
    let mut done = 0;
    for (range, replacement) in work.edits {
        // What stands inside of a replaced piece went with it.
        if range.start < done {
            continue;
        }
        new.push_str(&text[done..range.start]);
        new.push_str(&replacement);
        done = range.end;
    }
    new.push_str(&text[done..]);
    Ok(new)
}

struct Work<'a> {
    options: &'a Options,
    edits: Vec<(Range<usize>, String)>,
}

fn is(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// Whether this is an attribute that names a library of Windows, or an example in another file.
fn is_left_out(attribute: &Group) -> bool {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().take(3).collect();
    match &tokens[..] {
        [doc, equals, what] if is_word(doc, "doc") && is(Some(equals), '=') => {
            is_word(what, "doctest_file")
        }
        [link, ..] => is_word(link, "link"),
        [] => false,
    }
}

/// Where the word stands, with the colons in front, if it is the root of a path.
fn root(tokens: &[TokenTree], place: usize) -> Option<Range<usize>> {
    let range = tokens[place].span().byte_range();
    let colons = |place: usize| is(tokens.get(place), ':') && is(tokens.get(place + 1), ':');
    if !colons(place + 1) {
        return None;
    }
    let Some(start) = place.checked_sub(2).filter(|start| colons(*start)) else {
        return Some(range);
    };
    let start = tokens[start].span().byte_range().start;
    // `a::std` goes on from `a`, `<T>::std` from `>`; `impl ::std` and `<::std` do not.
    let goes_on = place.checked_sub(3).and_then(|place| tokens.get(place)).is_some_and(|token| {
        token.span().byte_range().end == start
            && (matches!(token, TokenTree::Ident(_)) || is(Some(token), '>'))
    });
    (!goes_on).then_some(start..range.end)
}

impl Work<'_> {
    fn replace(&mut self, token: &TokenTree, replacement: String) {
        self.edits.push((token.span().byte_range(), replacement));
    }

    /// Removes `#![…]` at the top of the file.
    fn attributes(&mut self, tokens: &TokenStream) {
        let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
        for three in tokens.windows(3) {
            let [hash, bang, TokenTree::Group(group)] = three else { continue };
            if is(Some(hash), '#') && is(Some(bang), '!') {
                self.remove(hash, group);
            }
        }
    }

    /// Removes an attribute, unless it is a comment, which is an attribute too.
    fn remove(&mut self, hash: &TokenTree, group: &Group) {
        let (start, end) = (hash.span(), group.span());
        if group.delimiter() == Delimiter::Bracket && start.byte_range() != end.byte_range() {
            let lines = "\n".repeat(end.end().line - start.start().line);
            self.edits.push((start.byte_range().start..end.byte_range().end, lines));
        }
    }

    fn paths(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (place, token) in tokens.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|place| tokens.get(place));
            match token {
                TokenTree::Ident(word) => {
                    if let Some(path) = self.root(&word.to_string(), is(before, '$')) {
                        if let Some(range) = root(&tokens, place) {
                            self.edits.push((range, path));
                        }
                    }
                }
                TokenTree::Group(group) => match before {
                    Some(TokenTree::Ident(word)) if word == "cfg" || word == "cfg_attr" => {
                        self.condition(group);
                    }
                    // `cfg!(…)`
                    Some(mark)
                        if is(Some(mark), '!')
                            && place > 1
                            && is_word(&tokens[place - 2], "cfg") =>
                    {
                        self.condition(group);
                    }
                    Some(hash) if is(Some(hash), '#') && is_left_out(group) => {
                        self.remove(hash, group);
                    }
                    // Tests are not ours to run.
                    Some(hash) if is(Some(hash), '#') && group.stream().to_string() == "test" => {
                        self.edits.push((group.span().byte_range(), format!("[cfg({NO})]")));
                    }
                    _ => self.paths(group.stream()),
                },
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// Where the root of a path leads. In a macro `crate` is spelled with a `$`.
    fn root(&self, word: &str, is_macro: bool) -> Option<String> {
        match word {
            "crate" => Some(self.options.crate_path.clone()),
            "std" if !is_macro => Some(format!("crate::surface::{}", self.options.std)),
            "windows_sys" if !is_macro => {
                Some(format!("crate::surface::{}", self.options.windows_sys))
            }
            _ => None,
        }
    }

    /// Says of each word of a condition whether it holds.
    fn condition(&mut self, group: &Group) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        // `cfg($name)` in a macro, which is told `windows` or `unix`.
        if let [dollar, TokenTree::Ident(name)] = &tokens[..] {
            if is(Some(dollar), '$') {
                let range = dollar.span().byte_range().start..name.span().byte_range().end;
                self.edits.push((range, format!("not(${name})")));
            }
            return;
        }
        for (place, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(inner) => self.condition(inner),
                TokenTree::Ident(word) => match word.to_string().as_str() {
                    "windows" | "debug_assertions" => self.replace(token, YES.to_owned()),
                    "unix" | "test" | "docsrs" => self.replace(token, NO.to_owned()),
                    // Not in front of what it documents.
                    "doc" if tokens.get(place + 1).is_none_or(|next| is(Some(next), ',')) => {
                        self.replace(token, NO.to_owned());
                    }
                    key @ ("feature" | "target_os") => {
                        let Some(name) = tokens.get(place + 2) else { continue };
                        let quoted = name.to_string();
                        let value = quoted.trim_matches('"');
                        let chosen = match key {
                            "feature" => self.options.features.contains(&value),
                            _ => value == "windows",
                        };
                        let range = token.span().byte_range().start..name.span().byte_range().end;
                        let answer = if chosen { YES } else { NO };
                        self.edits.push((range, answer.to_owned()));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }
}
