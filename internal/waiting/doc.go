// Package waiting is the waiting room before an offer that more people want than can be served
// at once (排队).
//
// # Words
//
// A ticket is a place in the queue of one offer. It is signed and carries all that is known of
// it, so that no process keeps it, a restart loses nobody's place, and any node can tell how it
// stands. A place is a moment: of who comes after the opening second, the moment of their
// coming; of who waits for the opening or comes within its first second, a random moment of that
// second. The random moment follows from the device and a key nobody has, so that coming again,
// or with many tabs, draws it no second time.
//
// The frontier of a room is the place up to which tickets are let in. It goes forward by so
// many tickets a minute, never by more. It is one row of the database; whichever node finds that
// time has passed moves it. Nodes count the tickets they give by their places, a millisecond a
// bucket, and tell one another once a second: that is all the state there is, some bytes for a
// bucket however many wait in it.
//
// A ticket that the frontier has passed may place one order, within the room's minutes. Its use
// is recorded in the transaction that places the order.
//
// # Not here
//
// Whether an offer has a room, and how fast, is the catalogue's; that an order needs a ticket is
// a check of the placing (flow); how often a device or an address may ask for one is the faces'.
package waiting
