package jsonschema_test

import (
	"os"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

func testdata(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// producers are schemas as programs write them, and a message of each.
var producers = []struct{ file, message, typeName, want, read string }{
	{
		"pydantic.json", "", "Order",
		`{order_id: integer, price: number, total: text, note: text?, color: enum[red blue], state: enum[open closed]?, created: date-time, day: date?, at: time, took: text, key: text,
		address: {street: text, zip_code: text?}, previous: {street: text, zip_code: text?}?, lines: [{street: text, zip_code: text?}], tags: map[integer], extra: any?,
		either: union(integer: integer?, string: text?)?, pet: PET, pair: any, blob: text, flags: [text]?, tree: {value: integer, children: [… ]?}?}`,
		`order_id=1 price=2.5 total=3.10 note=(null) color=red state=open created=2023-11-14T22:13:20Z day=(null) at=22:13:20.000000 took=PT5S key=12345678-1234-5678-1234-567812345678
		address={"street":"s","zip_code":null} previous=(null) lines=[{"street":"t","zip_code":"z"}] tags=[{"key":"a","value":1}] extra={} either={"integer":null,"string":"x"}
		pet=PET pair=[1,"x"] blob=hi flags=[] tree={"children":"[{\"value\":2,\"children\":[]}]","value":1}`,
	},
	{
		"mbknor.json",
		`{"orderId": 1, "price": 2, "customer": null, "express": true, "state": "OPEN", "created": 1700000000000, "address": {"street": "s"}, "lines": [{"sku": null, "quantity": 2}], "attributes": {"a": "b"}, "anything": {"x": 1}, "parent": {"orderId": 2}}`,
		"Order",
		`{orderId: integer, price: number, customer: text?, express: bool, state: enum[OPEN CLOSED]?, created: integer?, address: {street: text?}?, lines: [{sku: text?, quantity: integer}]?,
		attributes: map[text]?, anything: any?, parent: …?}`,
		`orderId=1 price=2 customer=(null) express=true state=OPEN created=1700000000000 address={"street":"s"} lines=[{"quantity":2,"sku":null}] attributes=[{"key":"a","value":"b"}] anything={"x": 1} parent={"orderId": 2}`,
	},
	{
		"connect.json",
		`{"id": 7, "small": -3, "paid_at": 1700000000000, "amount": 12.5, "raw": "aGk=", "tags": ["a"], "counts": {"x": 1}, "by_number": [{"key": 1, "value": "one"}], "party": {"name": "n"}, "either": 5}`,
		"com.acme.Payment",
		`{id: integer(int32)?, small: integer(int8)?, paid_at: epoch(timestamp[ms, tz=UTC])?, amount: decimal(decimal(38, 2))?, raw: base64?, tags: [text]?, counts: map[integer(int64)]?,
		by_number: entries[key: integer(int32)?, value: text?]?, party: {name: text?}?, either: union(string: text?, integer: integer(int32)?)?}`,
		`id=7 small=-3 paid_at=2023-11-14T22:13:20Z amount=12.5 raw=aGk= tags=["a"] counts=[{"key":"x","value":1}] by_number=[{"key":1,"value":"one"}] party={"name":"n"} either={"integer":5,"string":null}`,
	},
}

// petType is what pydantic's discriminated union becomes, and petValue a value of it.
const (
	petType  = `union(Cat: {kind: enum[cat], lives: integer}?, Dog: {kind: enum[dog], name: text}?)`
	petValue = `{"Cat":null,"Dog":{"kind":"dog","name":"Rex"}}`
)

func TestSchemasOfOtherProgramsAreRead(t *testing.T) {
	for _, p := range producers {
		schema := testdata(t, p.file)
		s := parse(t, schema)
		plain := strings.NewReplacer("\n\t\t", " ", "… ", "…", "PET", petType, "pet=PET", "pet="+petValue).Replace
		if got, want := show(s), plain(p.want); got != want {
			t.Errorf("%s\nis   %s\nnot  %s", p.file, got, want)
		}
		if s.TypeName() != p.typeName {
			t.Errorf("%s: the message type is %s", p.file, s.TypeName())
		}
		message := p.message
		if message == "" {
			message = testdata(t, strings.TrimSuffix(p.file, ".json")+"-message.json")
		}
		got, err := read(t, compile(t, schema, format.Options{Recursion: format.JSON}), message)
		if want := plain(p.read); err != nil || got != want {
			t.Errorf("%s: %v\nis   %s\nnot  %s", p.file, err, got, want)
		}
	}
}
