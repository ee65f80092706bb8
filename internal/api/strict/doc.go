// Package strict reads JSON into Go values and takes nothing that two readers could
// understand differently: no unknown and no repeated members, no null, no number that the
// place can't hold, no text that isn't Unicode, nothing after the value, nothing deeper than
// 32 levels (F22). What is wrong is told as a fault with a code and the path of each place,
// never as text.
//
// What a place may hold is said by the tags that the OpenAPI document is made from:
// minLength, maxLength, minimum, maximum, minItems, maxItems, enum, required. So the
// document and the reader can't differ.
package strict

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 32

// maxProblems bounds how many places of one value are told.
const maxProblems = 20
