//! To come: sessions/redis.
