package source

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// letters are what topics' names are made of, in the order in which a bracket expression may list them.
const letters = "._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-"

// Internal are the topics that Kafka's brokers flag as their own, and that patterns do not find. They are named here because librdkafka does not pass the flag on.
var Internal = []string{"__consumer_offsets", "__transaction_state", "__share_group_state"}

// Pattern finds topics by a regular expression. Its dialect is that of Go's package regexp for every client: librdkafka gets an expression of its own dialect, POSIX's, that finds the same topics.
type Pattern struct {
	text  string
	match *regexp.Regexp
	posix string
}

// Topics separates names from patterns, which begin with ^, and checks the patterns at once.
func Topics(topics []string) (names []string, patterns []Pattern, err error) {
	for _, topic := range topics {
		if !strings.HasPrefix(topic, "^") {
			names = append(names, topic)
			continue
		}
		pattern, err := newPattern("topics", topic)
		if err != nil {
			return nil, nil, err
		}
		patterns = append(patterns, pattern)
	}
	return names, patterns, nil
}

// Excluded are the patterns of topic.blacklist, which are separated by commas. It hides topics from patterns.
func Excluded(properties map[string]string) ([]Pattern, error) {
	var out []Pattern
	for text := range strings.SplitSeq(properties["topic.blacklist"], ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		pattern, err := newPattern("config: topic.blacklist", text)
		if err != nil {
			return nil, err
		}
		out = append(out, pattern)
	}
	return out, nil
}

// Finds reports whether one of the patterns finds a topic.
func Finds(patterns []Pattern, topic string) bool {
	return slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Finds(topic) })
}

func newPattern(where, text string) (Pattern, error) {
	match, err := regexp.Compile(text)
	if err != nil {
		return Pattern{}, Errorf(status.ConfigError, "%s: %q is no regular expression: %w", where, text, err)
	}
	parsed, err := syntax.Parse(text, syntax.Perl) // as Compile does
	if err != nil {
		return Pattern{}, Errorf(status.ConfigError, "%s: %q is no regular expression: %w", where, text, err)
	}
	var w posixWriter
	w.write(parsed.Simplify()) // without x{n,m}, whose comma would end an entry of topic.blacklist
	if w.impossible != "" {
		return Pattern{}, Errorf(status.ConfigError, "%s: %q wants %q, which no topic's name can have: names are of letters from A to Z and a to z, digits, '.', '_' and '-'", where, text, w.impossible)
	}
	posix := w.out.String()
	if !strings.HasPrefix(posix, "^") {
		posix = "^.*" + posix // librdkafka knows a pattern by its ^
	}
	return Pattern{text: text, match: match, posix: posix + ".*"}, nil // brokers that look for topics themselves (KIP-848) want the whole name
}

// Finds reports whether the pattern finds a topic of this name.
func (p Pattern) Finds(topic string) bool { return p.match.MatchString(topic) }

// POSIX is an extended regular expression that finds the same topics. It begins with ^ and holds no comma.
func (p Pattern) POSIX() string { return p.posix }

// String is the pattern as it was given.
func (p Pattern) String() string { return p.text }

// posixWriter writes an expression as one of POSIX, of groups, alternatives, bracket expressions, anchors and the repetitions * + ? only. What it finds is the same among the names that topics can have.
type posixWriter struct {
	out        strings.Builder
	impossible string // a letter that the pattern wants and no topic has
}

func (w *posixWriter) write(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		w.out.WriteString("()")
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			w.letter(r, re.Flags&syntax.FoldCase != 0)
		}
	case syntax.OpCharClass:
		w.oneOf(func(r rune) bool {
			for i := 0; i < len(re.Rune); i += 2 {
				if re.Rune[i] <= r && r <= re.Rune[i+1] {
					return true
				}
			}
			return false
		})
	case syntax.OpAnyCharNotNL, syntax.OpAnyChar:
		w.out.WriteByte('.')
	case syntax.OpBeginLine, syntax.OpBeginText: // a name is one line
		w.out.WriteByte('^')
	case syntax.OpEndLine, syntax.OpEndText:
		w.out.WriteByte('$')
	case syntax.OpWordBoundary:
		w.out.WriteString(`\b`)
	case syntax.OpNoWordBoundary:
		w.out.WriteString(`\B`)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			w.write(sub)
		}
	case syntax.OpCapture:
		w.group(re.Sub, "")
	case syntax.OpAlternate:
		w.group(re.Sub, "")
	case syntax.OpStar:
		w.group(re.Sub, "*")
	case syntax.OpPlus:
		w.group(re.Sub, "+")
	case syntax.OpQuest:
		w.group(re.Sub, "?")
	default: // OpNoMatch; Simplify leaves no OpRepeat
		w.oneOf(func(rune) bool { return false })
	}
}

// group writes (a|b), and perhaps how often it may come.
func (w *posixWriter) group(alternatives []*syntax.Regexp, repeated string) {
	w.out.WriteByte('(')
	for i, sub := range alternatives {
		if i > 0 {
			w.out.WriteByte('|')
		}
		w.write(sub)
	}
	w.out.WriteByte(')')
	w.out.WriteString(repeated)
}

// letter writes what matches r, in any case if fold is set.
func (w *posixWriter) letter(r rune, fold bool) {
	found := false
	w.oneOf(func(l rune) bool {
		same := l == r
		for other := unicode.SimpleFold(r); fold && other != r; other = unicode.SimpleFold(other) {
			same = same || l == other
		}
		found = found || same
		return same
	})
	if !found && w.impossible == "" {
		w.impossible = string(r)
	}
}

// oneOf writes a bracket expression of single letters: what a range means depends on the locale.
func (w *posixWriter) oneOf(has func(rune) bool) {
	var in []rune
	for _, l := range letters {
		if has(l) {
			in = append(in, l)
		}
	}
	switch len(in) {
	case 0:
		w.out.WriteString("[/]") // no name has one
	case 1:
		if in[0] == '.' {
			w.out.WriteByte('\\')
		}
		w.out.WriteRune(in[0])
	case len(letters):
		w.out.WriteByte('.')
	default:
		w.out.WriteString("[" + string(in) + "]")
	}
}
