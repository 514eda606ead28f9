package protobuf

import "github.com/pykafarr/pykafarr/kafarr/status"

// comparer says whether what was written with one message can be read as another: fields belong together by their numbers. The wire would take more, such as an int64 read as an int32,
// which loses values without an error.
type comparer struct {
	seen      map[[2]*message]bool
	encrypted map[*field][]int // of the writer's fields, and, as they are met, of the reader's
}

// widened are the kinds that read each value of another kind as what it was.
var widened = map[[2]kind]bool{
	{kindInt32, kindInt64}: true, {kindUint32, kindInt64}: true, {kindUint32, kindUint64}: true, {kindSint32, kindSint64}: true,
	{kindBool, kindInt32}: true, {kindBool, kindInt64}: true, {kindBool, kindUint32}: true, {kindBool, kindUint64}: true,
	{kindEnum, kindInt32}: true, {kindEnum, kindInt64}: true, {kindInt32, kindEnum}: true,
	{kindString, kindBytes}: true, {kindBytes, kindString}: true,
}

func (c comparer) messages(w, r *message, path string) error {
	if w == r || c.seen[[2]*message{w, r}] {
		return nil
	}
	c.seen[[2]*message{w, r}] = true
	for _, rf := range r.fields {
		wf := w.field(rf.number)
		at := join(path, rf.name)
		if wf == nil {
			if rf.required {
				return located(status.IncompatibleSchemaError, at, "the reader requires the field, and the writer has none of the number %d", rf.number)
			}
			continue
		}
		fits := wf.kind == rf.kind || widened[[2]kind{wf.kind, rf.kind}]
		if !fits || wf.repeated && !rf.repeated || wf.isMap() != rf.isMap() || rf.required && !wf.required && !wf.repeated && wf.presence {
			return located(status.IncompatibleSchemaError, at, "written as %s, read as %s", wf.describe(), rf.describe())
		}
		if rules := c.encrypted[wf]; len(rules) > 0 {
			c.encrypted[rf] = rules
		}
		if wf.message != nil && rf.message != nil {
			if wf.message.known != rf.message.known {
				return located(status.IncompatibleSchemaError, at, "written as %s, read as %s", wf.describe(), rf.describe())
			}
			if err := c.messages(wf.message, rf.message, at); err != nil {
				return err
			}
		}
	}
	return nil
}
