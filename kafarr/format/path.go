package format

import "strings"

// maxPath bounds the bytes of a path, and MaxName those of a name in an error. Each column has its path, and names may be as long as the schema.
const (
	maxPath = 2000
	MaxName = 200
)

// JoinPath is the path of a field. What is too long to be read is cut.
func JoinPath(path, name string) string {
	if path == "" {
		return ShortName(name)
	}
	if len(path) > maxPath {
		return path
	}
	if path += "." + ShortName(name); len(path) > maxPath {
		path += ".…"
	}
	return path
}

// ShortName cuts a name to what an error has room for.
func ShortName(name string) string {
	if len(name) <= MaxName {
		return name
	}
	return strings.ToValidUTF8(name[:MaxName], "") + "…"
}
