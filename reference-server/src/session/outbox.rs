//! What waits for delivery: in order, bounded, kept while no connection is open.

use crate::codec::Message;

use super::Encoded;

/// What a queued packet costs beyond its own bytes.
const OVERHEAD: usize = 64;

#[derive(Debug)]
pub(super) struct Outbox {
    packets: Vec<Message>,
    bytes: usize,
    limit: usize,
}

impl Outbox {
    pub(super) fn new(limit: usize) -> Self {
        Outbox {
            packets: Vec::new(),
            bytes: 0,
            limit,
        }
    }

    /// Whether the packet found room. A first packet always does.
    pub(super) fn push(&mut self, packet: Encoded) -> bool {
        let attached = packet.attachments.iter().map(|attachment| attachment.len() + OVERHEAD);
        let bytes = self.bytes + packet.head.len() + OVERHEAD + attached.sum::<usize>();
        let fits = bytes <= self.limit || self.packets.is_empty();
        if fits {
            self.bytes = bytes;
            self.packets.push(packet.head);
            self.packets.extend(packet.attachments.into_iter().map(Message::Binary));
        }
        fits
    }

    /// Returns what was taken and could not be written to its place.
    pub(super) fn put_back(&mut self, mut packets: Vec<Message>) {
        self.bytes += packets.iter().map(|packet| packet.len() + OVERHEAD).sum::<usize>();
        packets.append(&mut self.packets);
        self.packets = packets;
    }

    /// Whether there was something to move into `batch`.
    pub(super) fn take(&mut self, batch: &mut Vec<Message>) -> bool {
        let some = !self.packets.is_empty();
        if batch.is_empty() {
            std::mem::swap(batch, &mut self.packets);
        } else {
            batch.append(&mut self.packets);
        }
        self.bytes = 0;
        some
    }

    pub(super) fn clear(&mut self) {
        self.packets = Vec::new();
        self.bytes = 0;
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
