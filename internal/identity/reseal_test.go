package identity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/hotp"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// turning is a sealer whose key can be changed, and whose keys before can be dropped.
type turning struct {
	mu     sync.RWMutex
	boxes  map[id.Key]boxes
	active id.Key
	turns  int
}

func (k *turning) turn() (old id.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	old = k.active
	k.turns++
	k.active = id.Key(fmt.Sprintf("key_%d", k.turns))
	k.boxes[k.active] = newBoxes()
	return old
}

func (k *turning) drop(old id.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.boxes, old)
}

func (k *turning) SealBytes(place string, plain []byte) (id.Key, []byte, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	_, body, err := k.boxes[k.active].SealBytes(place, plain)
	return k.active, body, err
}

func (k *turning) OpenBytes(place string, key id.Key, sealed []byte) ([]byte, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	b, ok := k.boxes[key]
	if !ok {
		return nil, errors.New("a key that was dropped")
	}
	return b.OpenBytes(place, "key_test", sealed)
}

// sealedUnder counts the second factors under each key.
func (r *rig) sealedUnder() map[id.Key]int {
	r.Helper()
	n := map[id.Key]int{}
	r.do(func(tx *db.Tx) error {
		return tx.Query(r.Context(), sealedTOTP, func(scan func(...any) error) error {
			var party id.Party
			var sealed []byte
			var key id.Key
			err := scan(&party, &sealed, &key)
			n[key]++
			return err
		})
	})
	return n
}

// S13: while people sign in with their second factors, the key these are sealed under is
// changed again and again, and the one before dropped as soon as Reseal has committed. No
// sign-in fails, no code works twice, and a Reseal that fails half way changes nothing.
func TestResealWhilePeopleSignIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		keys := &turning{boxes: map[id.Key]boxes{}}
		keys.turn()
		r.sealer = keys
		opened, err := r.setOwner(r.setUp)
		if err != nil {
			t.Fatal(err)
		}
		full, secret := r.enrolled(opened)
		r.owner = full.Opened
		type person struct {
			email, password, secret string
			at                      Origin // of its own, for limits count by it and by the clock of who comes
		}
		people := []person{{ownerMail, ownerPassword, secret, home}}
		for i := range 3 {
			var in Invited
			email := fmt.Sprintf("staff%d@shop.example", i)
			r.do(func(tx *db.Tx) (err error) {
				in, err = r.Invite(r.Context(), tx, r.owner.Actor(home), Invite{Email: email, Roles: []Role{Support}}, r.now())
				return err
			})
			opened, err := r.accept(in.Token)
			if err != nil {
				t.Fatal(err)
			}
			_, secret := r.enrolled(opened)
			people = append(people, person{email, "four blue kettles sing", secret, Origin{Address: fmt.Sprintf("192.0.2.%d", 2+i), Agent: home.Agent}})
		}
		signIn := func(p person, now time.Time) error {
			half, err := r.SignIn(context.Background(), d, SignIn{p.email, p.password, p.at}, now)
			if err != nil {
				return fmt.Errorf("password: %w", err)
			}
			typed, err := hotp.GenerateCode(p.secret, uint64(now.Unix()/totpPeriod))
			if err != nil {
				return err
			}
			second := func(token string) error {
				_, err := tries(r, func(ctx context.Context, tx *db.Tx) (db.Answer[Opened], error) {
					return r.SecondFactor(ctx, tx, token, typed, p.at, now)
				})
				return err
			}
			if err := second(half.Token); err != nil {
				return fmt.Errorf("second factor: %w", err)
			}
			if half, err = r.SignIn(context.Background(), d, SignIn{p.email, p.password, p.at}, now); err != nil {
				return fmt.Errorf("password again: %w", err)
			}
			if err := second(half.Token); fault.CodeOf(err) != "identity.second" {
				return fmt.Errorf("a code works twice: %w", err)
			}
			return nil
		}

		var busy sync.WaitGroup
		for _, p := range people {
			busy.Go(func() {
				now := r.now()
				for range 6 {
					now = now.Add(30 * time.Minute) // each by a clock of its own, so that no limit stops it
					if err := signIn(p, now); err != nil {
						t.Errorf("%s: %v", p.email, err)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { busy.Wait(); close(done) }()
		for turning := true; turning; {
			select {
			case <-done:
				turning = false // once more, with nobody at work
			default:
			}
			old := keys.turn()
			r.do(func(tx *db.Tx) error { return r.Reseal(t.Context(), tx) })
			keys.drop(old)
		}
		if n := r.sealedUnder(); len(n) != 1 || n[keys.active] != len(people) {
			t.Errorf("sealed under %v, the active key is %s", n, keys.active)
		}

		// The last one can't be opened: none is sealed anew.
		under := keys.active
		keys.turn()
		r.do(func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), spoilLast)
			return err
		})
		if err := d.Do(t.Context(), func(tx *db.Tx) error { return r.Reseal(t.Context(), tx) }); err == nil {
			t.Error("what can't be opened was sealed anew")
		}
		if n := r.sealedUnder(); n[under] != len(people)-1 || n[keys.active] != 0 {
			t.Errorf("after a failure: sealed under %v", n)
		}
	})
}

var spoilLast = db.SQL("identity_test.spoil", `UPDATE staff SET totp_key = 'key_lost' WHERE party_id = (SELECT MAX(party_id) FROM staff)`)
