//! Revision 1: a handshake, and then connections over one transport after another.

use super::super::moments::What;
use super::super::units::frames;
use super::{Irregular, Writer, own_query};
use crate::record::exchange::Exchange;

impl Writer<'_> {
    pub(super) fn rev1(&mut self, exchanges: &[&Exchange]) -> Result<(), Irregular> {
        let Some((first, rest)) = exchanges.split_first() else {
            return Ok(());
        };
        let mut open: Option<&str> = None;
        for exchange in rest {
            let Some(transport) = exchange.transport.as_deref() else {
                return Err(Irregular("a second handshake".to_owned()));
            };
            if !exchange.target.starts_with("/socket.io/1/") {
                return Err(Irregular("its path is not /socket.io/".to_owned()));
            }
            if exchange.method == "POST" {
                self.post(exchange)?;
                continue;
            }
            if exchange.target.contains("disconnect") {
                // What a page says when it is closed; on the wire it is another request, and the same to the server.
                self.end(exchange.at, What::Close(None));
                continue;
            }
            let socket = matches!(transport, "websocket" | "flashsocket");
            if socket && !exchange.is_switched() {
                self.lost.push(format!(
                    "{}: a connection over {transport} that did not come about",
                    self.client
                ));
                continue;
            }
            match open {
                None => {
                    let target = own_query(&first.target, &["t", "jsonp"], "/socket.io/1/");
                    self.say(
                        exchange.at,
                        What::Open {
                            transport: transport.to_owned(),
                            target,
                        },
                    );
                }
                Some(before) if before != transport => {
                    self.say(exchange.at, What::Reopen(Some(transport.to_owned())));
                }
                Some(_) if !matches!(transport, "xhr-polling" | "jsonp-polling") => {
                    self.say(exchange.at, What::Reopen(None));
                }
                Some(_) => {}
            }
            open = Some(transport);
            self.socket = socket;
            match socket {
                true => self.socket(exchange, frames(self.generation, exchange)?, false)?,
                false => self.poll(exchange)?,
            }
        }
        match open {
            Some(_) => Ok(()),
            None => Err(Irregular("it has a handshake, and no connection".to_owned())),
        }
    }
}
