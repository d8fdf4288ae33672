//! Rewrites a source file to run over the simulation, and leaves its lines where they are.
//!
//! - `std`, `windows_sys` and `crate` at the root of a path lead to this crate: to its surface, and
//!   to the module that the library has become.
//! - Conditions are those of Windows, of the chosen features, of a debug build without tests.
//! - Attributes of the whole library are removed, as they speak of a crate, and those that name a
//!   library of Windows to link.

use std::ops::Range;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// What is different from library to library.
pub struct Options {
    /// Where the library has become a module.
    pub crate_path: String,
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
            let (next, after) = (tokens.get(place + 1), tokens.get(place + 2));
            match token {
                TokenTree::Ident(word) => {
                    let is_root = is(next, ':') && is(after, ':')
                        && !is(before, '$')
                        // `a: std::b` has one colon before, `a::std` has two.
                        && !(is(before, ':')
                            && place.checked_sub(2).is_some_and(|p| is(tokens.get(p), ':')));
                    if is_root {
                        let path = match word.to_string().as_str() {
                            "crate" => self.options.crate_path.clone(),
                            "std" => "crate::surface::std".to_owned(),
                            "windows_sys" => {
                                format!("crate::surface::{}", self.options.windows_sys)
                            }
                            _ => continue,
                        };
                        self.replace(token, path);
                    }
                }
                TokenTree::Group(group) => {
                    let is_condition = match before {
                        Some(TokenTree::Ident(word)) => word == "cfg" || word == "cfg_attr",
                        // `cfg!(…)`
                        _ => is(before, '!') && place.checked_sub(2).is_some_and(
                            |p| matches!(&tokens[p], TokenTree::Ident(word) if word == "cfg"),
                        ),
                    };
                    let first = group.stream().into_iter().next();
                    let links = first.is_some_and(|first| first.to_string() == "link");
                    if is_condition {
                        self.condition(group);
                    } else if let (true, Some(hash)) = (links && is(before, '#'), before) {
                        self.remove(hash, group);
                    } else {
                        self.paths(group.stream());
                    }
                }
                _ => {}
            }
        }
    }

    /// Says of each word of a condition whether it holds.
    fn condition(&mut self, group: &Group) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        for (place, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(inner) => self.condition(inner),
                TokenTree::Ident(word) => match word.to_string().as_str() {
                    "windows" | "debug_assertions" => self.replace(token, "all()".to_owned()),
                    "unix" | "test" | "docsrs" => self.replace(token, "any()".to_owned()),
                    "feature" => {
                        let Some(name) = tokens.get(place + 2) else { continue };
                        let quoted = name.to_string();
                        let chosen = self.options.features.contains(&quoted.trim_matches('"'));
                        let range = token.span().byte_range().start..name.span().byte_range().end;
                        let answer = if chosen { "all()" } else { "any()" };
                        self.edits.push((range, answer.to_owned()));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }
}
