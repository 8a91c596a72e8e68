//! Where a broker is: `mqtt://host:port`, or `mqtts://host:port` for a connection under TLS.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// The port of MQTT without TLS, taken when an address names none.
const PORT_DEFAULT: u16 = 1883;

/// The port of MQTT under TLS, taken when an address names none.
const PORT_TLS_DEFAULT: u16 = 8883;

/// The address of a broker, parsed from `mqtt://host:port` or `mqtts://host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BrokerAddress {
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    host: String,
    port: u16,
    tls: bool,
}

/// The text is not the address of a broker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a broker address: {fault}; write it as mqtt://host:port or, under TLS, mqtts://host:port, e.g. mqtts://loa.example.vn:8883"
)]
pub struct BadAddress {
    text: String,
    fault: &'static str,
}

impl BrokerAddress {
    /// The host, with brackets if it is an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether connections to it are under TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls
    }
}

impl From<SocketAddr> for BrokerAddress {
    fn from(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        };
        Self { host, port: address.port(), tls: false }
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl FromStr for BrokerAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = |fault| BadAddress { text: text.to_owned(), fault };
        let (tls, rest) = match (text.strip_prefix("mqtt://"), text.strip_prefix("mqtts://")) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            (None, None) => return Err(bad("it begins neither with mqtt:// nor with mqtts://")),
        };
        let default = if tls { PORT_TLS_DEFAULT } else { PORT_DEFAULT };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_port(rest, default).map_err(bad)?;
        if !is_host(host) {
            return Err(bad("the host is missing or holds a sign that no host may hold"));
        }
        // The client library takes the brackets for a part of the name in the certificate.
        if tls && host.starts_with('[') {
            return Err(bad("under TLS a broker is called by its name or an IPv4 address"));
        }
        Ok(Self { host: host.to_owned(), port, tls })
    }
}

/// Splits `host:port`; the colons inside the brackets of an IPv6 address are not the port's.
fn split_port(text: &str, default: u16) -> Result<(&str, u16), &'static str> {
    let host_end = text.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = text[host_end..].find(':').map(|at| at + host_end) else {
        return Ok((text, default));
    };
    match text[colon + 1..].parse::<u16>() {
        Ok(port) if port > 0 => Ok((&text[..colon], port)),
        Ok(_) | Err(_) => Err("the port is not a number from 1 to 65535"),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner.strip_suffix(']').is_some_and(|v6| v6.parse::<std::net::Ipv6Addr>().is_ok());
    }
    !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> BrokerAddress {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_shows_as_it_was_written() {
        assert_eq!(parsed("mqtt://loa.example.vn:2883").to_string(), "mqtt://loa.example.vn:2883");
    }

    #[test]
    fn the_port_may_be_left_out() {
        assert_eq!(parsed("mqtt://10.0.0.7").port(), 1883);
        assert_eq!(parsed("mqtts://loa.example.vn").port(), 8883);
    }

    #[test]
    fn an_address_under_tls_is_known_by_its_first_letters() {
        let address = parsed("mqtts://loa.example.vn:2883");
        assert!(address.is_tls() && !parsed("mqtt://10.0.0.7").is_tls());
        assert_eq!(address.to_string(), "mqtts://loa.example.vn:2883");
    }

    #[test]
    fn an_ipv6_address_keeps_its_brackets() {
        assert_eq!(
            (parsed("mqtt://[::1]:1884").host(), parsed("mqtt://[::1]").port()),
            ("[::1]", 1883)
        );
    }

    #[test]
    fn a_socket_address_becomes_a_broker_address() {
        let socket: SocketAddr = "[::1]:1885".parse().unwrap();
        assert_eq!(BrokerAddress::from(socket), parsed("mqtt://[::1]:1885"));
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_sentence() {
        for text in [
            "",
            "host:1883",
            "mqtt://",
            "mqtt://h:0",
            "mqtt://h:x",
            "mqtt://a b",
            "mqtt://[::1",
            "mqtts://[::1]:1",
            "https://h:1",
            "mqtt://u:p@h:1",
        ] {
            let error = text.parse::<BrokerAddress>().unwrap_err().to_string();
            assert!(error.contains("write it as mqtt://host:port"), "{error}");
        }
    }
}
