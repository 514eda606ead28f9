package source_test

import (
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/source"
)

func TestAPatternIsWrittenInTheDialectOfLibrdkafka(t *testing.T) {
	for text, want := range map[string]string{
		`^orders`:              `^orders.*`,
		`^orders$`:             `^orders$.*`,
		`^a.b`:                 `^a.b.*`,
		`^a\.b`:                `^a\.b.*`,
		`^a|b`:                 `^.*(^a|b).*`,
		`^\d+`:                 `^([0123456789])+.*`,
		`^[^\w]`:               `^[.-].*`,
		`^[\w.-]`:              `^..*`,
		`^[a\-c]`:              `^[ac-].*`,
		`^(?i)ok`:              `^[Oo][Kk].*`, // not the sign of Kelvin
		`^(?P<n>a)(?:b)(?<m>)`: `^(a)b(()).*`,
		`^a*?b+?c??`:           `^(a)*(b)+(c)?.*`,
		`^a{1,2}`:              `^a(a)?.*`, // its comma would end an entry of topic.blacklist
		`^a{0}`:                `^().*`,
		`^\pN\x61\Q.\E`:        `^[0123456789]a\..*`,
		`^[[:space:]]`:         `^[/].*`,
		`^\ba\B`:               `^\ba\B.*`,
		`^(?m)a$\z`:            `^a$$.*`,
	} {
		_, patterns, err := source.Topics([]string{text})
		if err != nil || len(patterns) != 1 || patterns[0].String() != text {
			t.Errorf("%s: %v, %v", text, patterns, err)
		} else if got := patterns[0].POSIX(); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

func TestAPatternThatIsNoneIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		`^(`:          `topics: "^(" is no regular expression`,
		`^(?!a)`:      `is no regular expression`,
		`^(?=a)`:      `is no regular expression`,
		`^(?<!a)b`:    `is no regular expression`,
		`^(a)\1`:      `is no regular expression`,
		`^a**`:        `is no regular expression`,
		`^a{,2}`:      `wants "{", which no topic's name can have`,
		`^a b`:        `wants " "`,
		`^größe`:      `wants "ö"`,
		`^\<a`:        `wants "<"`,
		`^[[.a.]]`:    `wants "]"`,
		`^a/b`:        `wants "/"`,
		"^a\x00":      `wants "\x00"`,
		"^a\xff":      `is no regular expression`,
		`^[[:nope:]]`: `is no regular expression`,
	} {
		if _, _, err := source.Topics([]string{"t", text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %s", text, err, want)
		}
	}
	for list, want := range map[string]string{`^a,(`: `config: topic.blacklist: "(" is no`, `a{1,2}`: `config: topic.blacklist: "a{1" wants "{"`} {
		if _, err := source.Excluded(map[string]string{"topic.blacklist": list}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %s", list, err, want)
		}
	}
}
