package kafarr_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

func ofJSON(partition int32, offset int64, value string) replay.Message {
	return replay.Message{Topic: "t", Partition: partition, Offset: offset, Value: []byte(value)}
}

func TestASchemaIsInferredOnceOfTheFirstMessages(t *testing.T) {
	for name, mixed := range map[string]kafarr.Mixed{"split": kafarr.SplitMixed, "group": kafarr.GroupMixed} {
		inBubble(t, name, func(t *testing.T) {
			cfg := kafarr.Config{Messages: kafarr.Messages{Value: kafarr.JSON, Mixed: mixed}}
			l, src := open(t, cfg, ofJSON(0, 0, `{"n":1}`), ofJSON(1, 0, `{"n":1.5}`))
			wantRendered(t, l, "t n=1,1.5 _offset=0,0")
			schema, err := l.InferredSchema("t")
			if err != nil || !strings.Contains(schema, `{"name":"n","type":"double"}`) {
				t.Errorf("%s, %v", schema, err)
			}
			src.Add(ofJSON(0, 1, `{"n":2,"m":1}`), ofJSON(0, 2, `{"n":"x"}`))
			wantRendered(t, l, "t n=2 _offset=1", "t[0]@2: n: a number is expected, as JSON writes it, and this is a string, at byte 5")
			if s := l.Stats(); s.UnknownMembers != 1 {
				t.Errorf("%+v", s)
			}
			if after, _ := l.InferredSchema("t"); after != schema {
				t.Errorf("it has become %s", after)
			}
		})
	}
}

func TestAMessageThatIsTooLargeToInferASchemaOfIsPassedByNoErrorMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		large := `{"a":"` + strings.Repeat("x", 5<<20) + `"}`
		l, src := open(t, kafarr.Config{Messages: kafarr.Messages{Value: kafarr.JSON, Errors: kafarr.Skip}}, ofJSON(0, 0, large))
		for range 2 {
			if got := poll(t, l, 10); !strings.Contains(got, "give it: schema=") {
				t.Errorf("%q", got)
			}
		}
		if s := l.Stats(); s.Skipped != 0 || src.Committed("t", 0) > 0 {
			t.Errorf("%+v", s)
		}
	})
}
