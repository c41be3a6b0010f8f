//! How many connections there may be: in all, and from one address.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;

use crate::net::Networks;

/// How many connections there may be.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) total: u32,
    pub(super) per_address: u32,
    /// Proxies before us: many clients come from one address, so only the total counts for them.
    pub(super) shared_addresses: Networks,
}

/// Counts open connections.
#[derive(Debug)]
pub(super) struct Slots {
    limits: Limits,
    open: AtomicU32,
    by_address: Mutex<HashMap<IpAddr, u32>>,
    shown: Gauge,
}

/// Why there is no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// There are as many connections as there may be.
    Total,
    /// This address has as many as one may have.
    Address,
}

impl Slots {
    pub(super) fn new(limits: Limits, shown: Gauge) -> Arc<Self> {
        Arc::new(Self {
            limits,
            open: AtomicU32::new(0),
            by_address: Mutex::default(),
            shown,
        })
    }

    /// Takes a slot for a connection from `address`, to be given back by dropping it.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Slot, Full> {
        let open = self.open.fetch_add(1, Ordering::Relaxed);
        self.shown.inc();
        let mut slot = Slot {
            slots: Arc::clone(self),
            counted: None,
        };
        if open >= self.limits.total {
            return Err(Full::Total);
        }
        if !self.limits.shared_addresses.contains(address) {
            let key = counted_as(address);
            self.count(key)?;
            slot.counted = Some(key);
        }
        Ok(slot)
    }

    fn count(&self, key: IpAddr) -> Result<(), Full> {
        let mut by_address = self.by_address.lock();
        let open = by_address.entry(key).or_insert(0);
        if *open >= self.limits.per_address {
            return Err(Full::Address);
        }
        *open += 1;
        Ok(())
    }

    fn uncount(&self, key: IpAddr) {
        if let Entry::Occupied(mut open) = self.by_address.lock().entry(key) {
            if *open.get() <= 1 {
                open.remove();
            } else {
                *open.get_mut() -= 1;
            }
        }
    }
}

/// Who has one IPv6 address has usually the whole /64 of it, so that is what counts as one.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

/// One connection's place.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    counted: Option<IpAddr>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(key) = self.counted {
            self.slots.uncount(key);
        }
        self.slots.open.fetch_sub(1, Ordering::Relaxed);
        self.slots.shown.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(total: u32, per_address: u32) -> Arc<Slots> {
        let limits = Limits {
            total,
            per_address,
            shared_addresses: Networks::new(vec!["10.9.0.0/16".parse().unwrap()]),
        };
        Slots::new(limits, Gauge::default())
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_gets_so_many_and_a_closed_one_makes_room() {
        let slots = slots(10, 2);
        let first = slots.take(address("192.0.2.1")).unwrap();
        let _second = slots.take(address("::ffff:192.0.2.1")).unwrap();
        assert_eq!(
            slots.take(address("192.0.2.1")).err(),
            Some(Full::Address),
            "in IPv6 clothes it is the same address"
        );
        assert!(slots.take(address("192.0.2.2")).is_ok());
        drop(first);
        assert!(slots.take(address("192.0.2.1")).is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let slots = slots(10, 1);
        let _open = slots.take(address("2001:db8::1")).unwrap();
        assert_eq!(
            slots.take(address("2001:db8::2")).err(),
            Some(Full::Address)
        );
        assert!(slots.take(address("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn a_trusted_proxy_is_only_held_to_the_total() {
        let slots = slots(3, 1);
        let open: Vec<_> = (0..3).map(|_| slots.take(address("10.9.0.1"))).collect();
        assert!(open.iter().all(Result::is_ok));
        assert_eq!(slots.take(address("10.9.0.1")).err(), Some(Full::Total));
    }

    #[test]
    fn refusals_leave_nothing_behind() {
        let slots = slots(1, 1);
        let open = slots.take(address("192.0.2.1")).unwrap();
        for _ in 0..5 {
            assert_eq!(slots.take(address("192.0.2.2")).err(), Some(Full::Total));
        }
        drop(open);
        assert_eq!(slots.open.load(Ordering::Relaxed), 0);
        assert!(slots.by_address.lock().is_empty());
        assert_eq!(slots.shown.get(), 0);
    }
}
