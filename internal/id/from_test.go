package id

import (
	"testing"
	"time"
)

func TestFromIsTheLowerEnd(t *testing.T) {
	before := time.Now().Add(-time.Millisecond)
	k := New[Order]()
	if from := From[Order](before); from > k || Time(from) != before.UTC().Truncate(time.Millisecond) {
		t.Errorf("%s is after %s, or of %v", from, k, Time(from))
	}
	if from := From[Order](time.Now().Add(time.Second)); from < k {
		t.Errorf("%s is before %s", from, k)
	}
	if _, err := Parse[Order](string(From[Order](time.Unix(0, 0)))); err != nil {
		t.Error(err)
	}
}
