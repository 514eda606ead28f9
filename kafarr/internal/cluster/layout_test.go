package cluster

import (
	"reflect"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// filled sets each field of an answer to something, and each list to two elements of it, or to as many as most says.
func filled(v reflect.Value, most int) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if name == "Version" || name == "UnknownTags" && most == 1 && v.CanSet() {
				continue
			}
			if set, ok := v.Addr().Interface().(interface{ Set(uint32, []byte) }); ok {
				set.Set(77, []byte("of a later version"))
				return
			}
			filled(v.Field(i), most)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(v.Elem(), most)
	case reflect.Slice:
		n := 2
		if v.Type().Elem().Kind() == reflect.Struct {
			n = most
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			filled(v.Index(i), most)
		}
	case reflect.String:
		v.SetString("text")
	case reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(3)
	case reflect.Uint8:
		v.SetUint(5)
	case reflect.Array, reflect.Bool, reflect.Map:
	default:
		panic(v.Kind().String())
	}
}

func TestEveryAnswerInEveryVersionIsWalkedThrough(t *testing.T) {
	for key, form := range layouts {
		most := 2
		if form.most > 0 {
			most = int(form.most)
		}
		for version := range kmsg.RequestForKey(key).MaxVersion() + 1 {
			resp := kmsg.ResponseForKey(key)
			filled(reflect.ValueOf(resp).Elem(), most)
			resp.SetVersion(version)
			body := resp.AppendTo(nil)
			if err := form.walk(body, version); err != nil {
				t.Errorf("%s, version %d: %v", kmsg.NameForKey(key), version, err)
			}
			for short := range body {
				if err := form.walk(body[:short], version); err == nil {
					t.Errorf("%s, version %d: %d of %d bytes are enough", kmsg.NameForKey(key), version, short, len(body))
				}
			}
		}
	}
}

// FuzzLayout gives any bytes as an answer: what is walked through is decoded within a bound of memory that its bytes set.
func FuzzLayout(f *testing.F) {
	for key, form := range layouts {
		for version := range kmsg.RequestForKey(key).MaxVersion() + 1 {
			resp := kmsg.ResponseForKey(key)
			filled(reflect.ValueOf(resp).Elem(), max(1, 2-int(form.most)))
			resp.SetVersion(version)
			f.Add(key, version, resp.AppendTo(nil))
		}
	}
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		form := layouts[key]
		if form == nil || version < 0 || version > kmsg.RequestForKey(key).MaxVersion() || form.walk(body, version) != nil {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		resp := kmsg.ResponseForKey(key)
		resp.SetVersion(version)
		_ = resp.ReadFrom(body)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20+1000*uint64(len(body)) {
			t.Fatalf("%s, version %d: %d bytes for %d", kmsg.NameForKey(key), version, n, len(body))
		}
	})
}
