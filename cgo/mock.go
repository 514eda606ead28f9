package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/mock"
)

// produceTimeout bounds one kafarr_mock_produce_start: the broker is in this process.
const produceTimeout = time.Minute

//export kafarr_mock_new
func kafarr_mock_new(config *C.char, n C.int64_t, handle *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		var c mock.Config
		if err := parse(config, n, &c); err != nil {
			return err
		}
		m, err := mock.New(c)
		if err != nil {
			return mockError(err)
		}
		*handle = C.int64_t(newHandle(m))
		return nil
	})
}

// mockError distinguishes a wrong request from a cluster that did not do it.
func mockError(err error) error {
	var request *mock.RequestError
	if errors.As(err, &request) {
		return configError("%w", err)
	}
	if errors.Is(err, mock.ErrClosed) {
		return coded(kafarr.ClosedError, "%w", err)
	}
	return coded(kafarr.BrokerError, "%w", err)
}

// mockInfo is the JSON of kafarr_mock_info.
type mockInfo struct {
	Servers     string `json:"servers"`
	RegistryURL string `json:"registry_url"`
}

//export kafarr_mock_info
func kafarr_mock_info(handle C.int64_t, out **C.char, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		m, err := get[*mock.Kafka](int64(handle))
		if err != nil {
			return err
		}
		return giveJSON(out, mockInfo{m.Servers(), m.RegistryURL()})
	})
}

//export kafarr_mock_create_topic
func kafarr_mock_create_topic(handle C.int64_t, topic *C.char, n C.int64_t, partitions C.int32_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		m, err := get[*mock.Kafka](int64(handle))
		if err != nil {
			return err
		}
		if err := m.CreateTopic(C.GoStringN(topic, C.int(n)), int(partitions)); err != nil {
			return mockError(err)
		}
		return nil
	})
}

//export kafarr_mock_produce_start
func kafarr_mock_produce_start(handle C.int64_t, request *C.char, n C.int64_t, op *C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		m, err := get[*mock.Kafka](int64(handle))
		if err != nil {
			return err
		}
		var r mock.Request
		if err := parse(request, n, &r); err != nil {
			return err
		}
		*op = C.int64_t(start(func() (string, error) {
			ctx, cancel := context.WithTimeout(context.Background(), produceTimeout)
			defer cancel()
			result, err := m.Produce(ctx, r)
			if err != nil {
				return "", mockError(err)
			}
			text, err := json.Marshal(result)
			return string(text), err
		}))
		return nil
	})
}

//export kafarr_mock_free
func kafarr_mock_free(handle C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		m, err := take[*mock.Kafka](int64(handle))
		if err == nil {
			m.Close()
		}
		return err
	})
}
