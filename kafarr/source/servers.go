package source

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// defaultPort is where Kafka's brokers listen by default.
const defaultPort = "9092"

// protocols are what may stand before a server, as in Kafka's own advertised.listeners; security.protocol has the same words.
var protocols = map[string]bool{"plaintext": true, "ssl": true, "sasl_plaintext": true, "sasl_ssl": true}

// Servers reads a list of bootstrap servers, "host:port,host:port", for every client of the project, and checks it before anybody waits: librdkafka only logs an entry that
// it cannot use. properties are the client's, for their security.protocol. Each server that is returned is "host:port".
func Servers(list string, properties map[string]string) ([]string, error) {
	if strings.Trim(list, ", \t\r\n") == "" {
		return nil, Errorf(status.ConfigError, "servers is empty: it wants host:port of at least one broker")
	}
	var out []string
	for i, entry := range strings.Split(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			return nil, Errorf(status.ConfigError, "servers: entry %d of %q is empty: it wants host:port, with a comma between two of them", i+1, list)
		}
		if strings.Contains(entry, "@") { // what is before it may be a password
			return nil, Errorf(status.ConfigError, "servers: entry %d holds an @: it wants host:port; user and password are sasl.username and sasl.password in config", i+1)
		}
		address, err := server(entry, properties)
		if err != nil {
			return nil, err
		}
		out = append(out, address)
	}
	return out, nil
}

// server reads one entry: host, host:port, [IPv6]:port, each perhaps after a protocol.
func server(entry string, properties map[string]string) (string, error) {
	rest := entry
	if protocol, after, is := strings.Cut(entry, "://"); is {
		configured := strings.ToLower(properties["security.protocol"])
		if configured == "" {
			configured = "plaintext"
		}
		switch named := strings.ToLower(protocol); {
		case !protocols[named]:
			return "", Errorf(status.ConfigError, "servers: %q begins with %s://, which is no protocol of Kafka's: it wants host:port", entry, protocol)
		case named != configured:
			return "", Errorf(status.ConfigError, "servers: %q says %s, and security.protocol in config is %s: they must be alike", entry, protocol, configured)
		}
		rest = after
	}
	if at := strings.IndexAny(rest, " \t\r\n;|/\\?#\"'"); at >= 0 {
		return "", Errorf(status.ConfigError, "servers: %q holds %q: it wants host:port, with a comma between two of them", entry, rest[at:at+1])
	}
	host, port := rest, defaultPort
	switch {
	case strings.HasPrefix(rest, "["):
		inner, after, closed := strings.Cut(rest[1:], "]")
		if _, err := netip.ParseAddr(inner); !closed || err != nil || after != "" && after[0] != ':' {
			return "", Errorf(status.ConfigError, "servers: %q is no IPv6 address: it wants [address]:port, such as [::1]:9092", entry)
		}
		host = inner
		if after != "" {
			port = after[1:]
		}
	case strings.Count(rest, ":") > 1:
		return "", Errorf(status.ConfigError, "servers: %q has more than one colon: it wants host:port, and an IPv6 address in brackets, such as [::1]:9092", entry)
	case strings.Contains(rest, ":"):
		host, port, _ = strings.Cut(rest, ":")
	}
	if host == "" {
		return "", Errorf(status.ConfigError, "servers: %q names no host: it wants host:port", entry)
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		return "", Errorf(status.ConfigError, "servers: %q has the port %q: it wants a number from 1 to 65535", entry, port)
	}
	return net.JoinHostPort(host, port), nil
}
