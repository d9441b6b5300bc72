//! Finds the requests in what a client sends, so that a scripted server knows when an answer is due.

/// The bytes of one connection, from the client's side.
#[derive(Debug, Default)]
pub(super) struct Requests {
    buffer: Vec<u8>,
    rest: Rest,
}

/// What comes before the next head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rest {
    #[default]
    Nothing,
    /// So many bytes of a body.
    Body(usize),
    /// A chunked body.
    Chunks,
    /// Another protocol: no head will come any more.
    Tunnel,
}

impl Requests {
    /// Takes the next bytes; gives the methods of the requests whose heads are whole now. An answer may come before the
    /// body, as a refusal does.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut methods = Vec::new();
        self.buffer.extend_from_slice(bytes);
        loop {
            match self.rest {
                Rest::Tunnel => {
                    self.buffer.clear();
                    return methods;
                }
                Rest::Body(due) => {
                    let count = due.min(self.buffer.len());
                    self.buffer.drain(..count);
                    self.rest = if count == due {
                        Rest::Nothing
                    } else {
                        Rest::Body(due - count)
                    };
                    if count < due {
                        return methods;
                    }
                }
                Rest::Chunks => {
                    const LAST: &[u8] = b"0\r\n\r\n";
                    let Some(at) = find(&self.buffer, LAST) else {
                        // Only the beginning of the last chunk may matter again; a long body is looked at once.
                        let done = self.buffer.len().saturating_sub(LAST.len() - 1);
                        self.buffer.drain(..done);
                        return methods;
                    };
                    self.buffer.drain(..at + LAST.len());
                    self.rest = Rest::Nothing;
                }
                Rest::Nothing => {
                    let Some(end) = find(&self.buffer, b"\r\n\r\n") else {
                        return methods;
                    };
                    let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                    self.buffer.drain(..end + 4);
                    methods.push(head.split(' ').next().unwrap_or_default().to_owned());
                    self.rest = after(&head);
                }
            }
        }
    }
}

fn after(head: &str) -> Rest {
    let header = |name: &str| {
        let mut lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        lines
            .find(|(have, _)| have.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    if header("upgrade").is_some() {
        return Rest::Tunnel;
    }
    if header("transfer-encoding").is_some() {
        return Rest::Chunks;
    }
    header("content-length")
        .and_then(|value| value.parse().ok())
        .map_or(Rest::Nothing, Rest::Body)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_found_wherever_they_are_cut() {
        let bytes = b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET \rGET /b HTTP/1.1\r\n\r\n\
            POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n\
            GET /d HTTP/1.1\r\nUpgrade: websocket\r\n\r\nGET /e HTTP/1.1\r\n\r\n";
        for cut in 0..bytes.len() {
            let mut requests = Requests::default();
            let mut methods = requests.push(&bytes[..cut]);
            methods.extend(requests.push(&bytes[cut..]));
            assert_eq!(methods, ["POST", "GET", "POST", "GET"]);
        }
    }

    #[test]
    fn an_answer_is_due_before_the_body_has_come() {
        assert_eq!(
            Requests::default().push(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"),
            ["POST"]
        );
    }
}
