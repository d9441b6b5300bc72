//! Atoms to pattern.

use super::super::SpannedError;
use super::super::ast::{Atom, AtomKind, Span};
use super::super::hole::Fit;
use super::super::json::{self, JsString, MAX_DEPTH, Number};
use super::super::pieces::{Piece, push_unit};
use super::{JsonPattern, Member, Node, NodeKind};

pub(super) fn pattern(atoms: &[Atom], end: Span) -> Result<JsonPattern, SpannedError> {
    let mut parser = Parser {
        atoms,
        at: 0,
        depth: 0,
        end,
    };
    parser.space();
    let root = parser.value()?;
    parser.space();
    if parser.at < atoms.len() {
        return Err(parser.error("something follows the value"));
    }
    Ok(JsonPattern { root })
}

struct Parser<'a> {
    atoms: &'a [Atom],
    at: usize,
    depth: usize,
    end: Span,
}

impl Parser<'_> {
    fn value(&mut self) -> Result<Node, SpannedError> {
        let start = self.here();
        let kind = match self.atoms.get(self.at).map(|it| &it.kind) {
            Some(AtomKind::Hole(hole)) => {
                self.at += 1;
                NodeKind::Hole(Fit::compile(hole).map_err(|message| SpannedError::new(start, message))?)
            }
            Some(AtomKind::Byte(b'{')) => self.nested(Parser::object)?,
            Some(AtomKind::Byte(b'[')) => self.nested(Parser::array)?,
            Some(AtomKind::Byte(b'"')) => NodeKind::String(self.string()?),
            Some(AtomKind::Byte(b'-' | b'0'..=b'9')) => self.number()?,
            Some(AtomKind::Byte(b't')) => self.word(b"true", NodeKind::Bool(true))?,
            Some(AtomKind::Byte(b'f')) => self.word(b"false", NodeKind::Bool(false))?,
            Some(AtomKind::Byte(b'n')) => self.word(b"null", NodeKind::Null)?,
            Some(AtomKind::Byte(_)) => return Err(self.error("expected a value")),
            None => return Err(self.error("ends where a value should stand")),
        };
        Ok(Node {
            kind,
            span: start.to(self.last()),
        })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<NodeKind, SpannedError>) -> Result<NodeKind, SpannedError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error("nests too deep"));
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        let kind = read(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn object(&mut self) -> Result<NodeKind, SpannedError> {
        let mut members: Vec<Member> = Vec::new();
        if self.eat(b'}') {
            return Ok(NodeKind::Object { members, open: false });
        }
        loop {
            if self.ellipsis(b'}')? {
                return Ok(NodeKind::Object { members, open: true });
            }
            let start = self.here();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a key"));
            }
            let mut units = Vec::new();
            for piece in self.string()? {
                match piece {
                    Piece::Literal { units: run, .. } => units.extend(run),
                    Piece::Hole { span, .. } => return Err(SpannedError::new(span, "a key cannot hold a hole")),
                }
            }
            let key = JsString(units);
            let key_span = start.to(self.last());
            if members.iter().any(|member| member.key == key) {
                return Err(SpannedError::new(key_span, format!("duplicate key {key}")));
            }
            self.space();
            if !self.eat(b':') {
                return Err(self.error("expected `:`"));
            }
            self.space();
            members.push(Member {
                key,
                key_span,
                value: self.value()?,
            });
            self.space();
            if self.eat(b'}') {
                return Ok(NodeKind::Object { members, open: false });
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `}`"));
            }
            self.space();
        }
    }

    fn array(&mut self) -> Result<NodeKind, SpannedError> {
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(NodeKind::Array { items, open: false });
        }
        loop {
            if self.ellipsis(b']')? {
                return Ok(NodeKind::Array { items, open: true });
            }
            items.push(self.value()?);
            self.space();
            if self.eat(b']') {
                return Ok(NodeKind::Array { items, open: false });
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `]`"));
            }
            self.space();
        }
    }

    /// `...` and the bracket that must follow it.
    fn ellipsis(&mut self, close: u8) -> Result<bool, SpannedError> {
        if !(0..3).all(|i| self.byte(self.at + i) == Some(b'.')) {
            return Ok(false);
        }
        self.at += 3;
        self.space();
        if self.eat(close) {
            Ok(true)
        } else {
            Err(self.error("nothing may follow `...`"))
        }
    }

    fn number(&mut self) -> Result<NodeKind, SpannedError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
            // `[1,...]` never gets here; `[1...]` lacks its comma, and says so below.
            self.at += 1;
        }
        let raw: String = (start..self.at).filter_map(|i| self.byte(i)).map(char::from).collect();
        let span = self.atoms[start].span.to(self.last());
        let number = Number::new(&raw).ok_or_else(|| SpannedError::new(span, "malformed number"))?;
        Ok(NodeKind::Number(number))
    }

    fn word(&mut self, word: &[u8], kind: NodeKind) -> Result<NodeKind, SpannedError> {
        if !word
            .iter()
            .enumerate()
            .all(|(i, byte)| self.byte(self.at + i) == Some(*byte))
        {
            return Err(self.error("expected a value"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn string(&mut self) -> Result<Vec<Piece<u16>>, SpannedError> {
        self.at += 1;
        let mut pieces = Vec::new();
        loop {
            let span = self.here();
            match self.atoms.get(self.at).map(|it| &it.kind) {
                None => return Err(self.error("ends within a string")),
                Some(AtomKind::Hole(hole)) => {
                    let fit = Fit::compile(hole).map_err(|message| SpannedError::new(span, message))?;
                    pieces.push(Piece::Hole { fit, span });
                    self.at += 1;
                }
                Some(AtomKind::Byte(b'"')) => {
                    self.at += 1;
                    return Ok(pieces);
                }
                Some(AtomKind::Byte(b'\\')) => {
                    let bytes: Vec<u8> = (self.at..self.at + 6).map_while(|i| self.byte(i)).collect();
                    let Some((unit, len)) = json::escape(&bytes) else {
                        return Err(self.error("unknown escape in a string"));
                    };
                    self.at += len;
                    push_unit(&mut pieces, unit, span.to(self.last()));
                }
                Some(AtomKind::Byte(byte)) if *byte < b' ' => {
                    return Err(self.error("control character in a string"));
                }
                Some(AtomKind::Byte(byte)) if byte.is_ascii() => {
                    push_unit(&mut pieces, u16::from(*byte), span);
                    self.at += 1;
                }
                Some(AtomKind::Byte(_)) => {
                    let bytes: Vec<u8> = (self.at..self.at + 4).map_while(|i| self.byte(i)).collect();
                    let Some(c) = bytes.utf8_chunks().next().and_then(|it| it.valid().chars().next()) else {
                        return Err(self.error("JSON is UTF-8, and this is not"));
                    };
                    self.at += c.len_utf8();
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        push_unit(&mut pieces, *unit, span);
                    }
                }
            }
        }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        match self.atoms.get(at)?.kind {
            AtomKind::Byte(byte) => Some(byte),
            AtomKind::Hole(_) => None,
        }
    }

    /// The atom to be read next, or the end of the text.
    fn here(&self) -> Span {
        let end = Span {
            start: self.end.end,
            end: self.end.end,
        };
        self.atoms.get(self.at).map_or(end, |atom| atom.span)
    }

    /// The atom that was read last.
    fn last(&self) -> Span {
        self.at
            .checked_sub(1)
            .and_then(|at| self.atoms.get(at))
            .map_or_else(|| self.here(), |atom| atom.span)
    }

    fn error(&self, message: &str) -> SpannedError {
        SpannedError::new(self.here(), message)
    }
}
