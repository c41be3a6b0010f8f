//! The whole gateway: the real binary over real TLS, with real stores and a real service behind it.

mod account_life;
mod accounts;
mod authorities;
mod bodies;
mod clients;
mod explain;
mod failover;
mod heads;
mod hosts;
mod hsts;
mod leftovers;
mod neighbours;
mod overload;
mod passwords;
mod process;
mod reload;
mod replicas;
mod stores;
mod streams;
mod wall;
