package api

import "testing"

func TestDoc(t *testing.T) { t.Log(len(Document())) }
