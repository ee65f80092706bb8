-- Catalogue: benefits and offers, each edit a version.
CREATE TABLE benefits (
  id TEXT PRIMARY KEY, slug TEXT NOT NULL UNIQUE, version BIGINT NOT NULL, state TEXT NOT NULL CHECK (state IN ('active','archived')),
  kind TEXT NOT NULL, body TEXT NOT NULL, updated_at BIGINT NOT NULL
) {{clustered}};
CREATE TABLE benefit_versions (
  benefit_id TEXT NOT NULL REFERENCES benefits(id), number BIGINT NOT NULL, body TEXT NOT NULL,
  created_at BIGINT NOT NULL, created_by TEXT NOT NULL, PRIMARY KEY (benefit_id, number)
) {{clustered}};
{{append only benefit_versions (benefit_id, number)}}
CREATE TABLE offers (
  id TEXT PRIMARY KEY, slug TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('draft','scheduled','live','paused','archived')),
  version_id TEXT NOT NULL, version BIGINT NOT NULL, category TEXT NOT NULL, position BIGINT NOT NULL,
  starts_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, draft TEXT NOT NULL, revision BIGINT NOT NULL,
  next_version_id TEXT NOT NULL, next_version BIGINT NOT NULL, next_at BIGINT NOT NULL, -- takes over by itself
  created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL
) {{clustered}};
CREATE INDEX offers_shown ON offers (state, position, id);
CREATE TABLE offer_versions (
  id TEXT PRIMARY KEY, offer_id TEXT NOT NULL REFERENCES offers(id), number BIGINT NOT NULL, body TEXT NOT NULL,
  created_at BIGINT NOT NULL, created_by TEXT NOT NULL, UNIQUE (offer_id, number)
) {{clustered}};
{{append only offer_versions (id) (offer_id, number)}}
-- Who is at the form of an offer: two people are told of each other.
CREATE TABLE offer_editors (offer_id TEXT NOT NULL, party_id TEXT NOT NULL, seen_at BIGINT NOT NULL, PRIMARY KEY (offer_id, party_id)) {{clustered}};
CREATE TABLE relations (
  key TEXT PRIMARY KEY, version BIGINT NOT NULL, state TEXT NOT NULL CHECK (state IN ('active','removed')), body TEXT NOT NULL, updated_at BIGINT NOT NULL
) {{clustered}};
CREATE TABLE relation_versions (
  seq BIGINT PRIMARY KEY, relation_key TEXT NOT NULL REFERENCES relations(key), number BIGINT NOT NULL, body TEXT NOT NULL,
  created_at BIGINT NOT NULL, created_by TEXT NOT NULL, UNIQUE (relation_key, number)
) {{clustered}};
{{append only relation_versions (seq) (relation_key, number)}}

-- Inventory: received = available + reserved + delivered + voided, each zero or more.
CREATE TABLE stocks (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL CHECK (kind IN ('counted','codes')),
  received BIGINT NOT NULL, available BIGINT NOT NULL, reserved BIGINT NOT NULL CHECK (reserved >= 0),
  delivered BIGINT NOT NULL CHECK (delivered >= 0), voided BIGINT NOT NULL CHECK (voided >= 0), low_mark BIGINT NOT NULL, updated_at BIGINT NOT NULL,
  channels BIGINT NOT NULL DEFAULT 0 CHECK (channels >= 0), -- how many allotments it has
  allotted BIGINT NOT NULL DEFAULT 0 CHECK (allotted >= 0), -- the available units of all of them; so these are never below zero either
  edition BIGINT NOT NULL DEFAULT 0 CHECK (edition IN (0, 1)), CHECK (allotted <= available),
  CHECK (received = available + reserved + delivered + voided)
) {{clustered}};
-- Allotments (配额): units of a stock that one channel alone sells.
CREATE TABLE allotments (
  stock_id TEXT NOT NULL REFERENCES stocks(id), channel TEXT NOT NULL CHECK (channel <> ''), open BIGINT NOT NULL CHECK (open IN (0, 1)),
  size BIGINT NOT NULL, available BIGINT NOT NULL CHECK (available >= 0), reserved BIGINT NOT NULL CHECK (reserved >= 0),
  delivered BIGINT NOT NULL CHECK (delivered >= 0), updated_at BIGINT NOT NULL, PRIMARY KEY (stock_id, channel),
  CHECK (size = available + reserved + delivered), CHECK (open = 1 OR available = 0)
) {{clustered}};
-- Every change of an allotment's size: from one channel to another, of which '' is what isn't allotted.
CREATE TABLE allotment_moves (
  id TEXT PRIMARY KEY, stock_id TEXT NOT NULL REFERENCES stocks(id), from_channel TEXT NOT NULL, to_channel TEXT NOT NULL,
  quantity BIGINT NOT NULL CHECK (quantity >= 0), reason TEXT NOT NULL, actor TEXT NOT NULL, at BIGINT NOT NULL, CHECK (from_channel <> to_channel)
) {{clustered}};
CREATE INDEX allotment_moves_stock ON allotment_moves (stock_id, id);
{{append only allotment_moves (id)}}
-- Editions (限量编号): each delivered unit of the stock has a number. next is how many numbers were ever given.
CREATE TABLE editions (
  stock_id TEXT PRIMARY KEY REFERENCES stocks(id), size BIGINT NOT NULL CHECK (size > 0), first BIGINT NOT NULL CHECK (first >= 0),
  gapless BIGINT NOT NULL CHECK (gapless IN (0, 1)), by_lot BIGINT NOT NULL CHECK (by_lot IN (0, 1)), seed {{bytes}} NOT NULL, commitment TEXT NOT NULL,
  next BIGINT NOT NULL, retired BIGINT NOT NULL CHECK (retired >= 0), state TEXT NOT NULL CHECK (state IN ('open','closed')),
  created_by TEXT NOT NULL, created_at BIGINT NOT NULL, closed_at BIGINT NOT NULL, CHECK (next >= 0 AND next <= size)
) {{clustered}};
CREATE TABLE edition_numbers (
  stock_id TEXT NOT NULL REFERENCES editions(stock_id), number BIGINT NOT NULL, position BIGINT NOT NULL, right_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('held','free','retired')), given_at BIGINT NOT NULL, PRIMARY KEY (stock_id, number), UNIQUE (stock_id, position),
  CHECK ((state = 'held') = (right_id <> ''))
) {{clustered}};
CREATE UNIQUE INDEX edition_numbers_right ON edition_numbers (right_id, stock_id) WHERE right_id <> '';
CREATE INDEX edition_numbers_free ON edition_numbers (stock_id, number) WHERE state = 'free';
CREATE TABLE edition_history (
  id TEXT PRIMARY KEY, stock_id TEXT NOT NULL, number BIGINT NOT NULL, right_id TEXT NOT NULL,
  what TEXT NOT NULL CHECK (what IN ('given','returned','retired')), at BIGINT NOT NULL
) {{clustered}};
CREATE INDEX edition_history_number ON edition_history (stock_id, number, id);
{{append only edition_history (id)}}
-- What counted stocks have received (above zero) and voided (below), each with its reason.
CREATE TABLE stock_receipts (
  id TEXT PRIMARY KEY, stock_id TEXT NOT NULL REFERENCES stocks(id), quantity BIGINT NOT NULL CHECK (quantity <> 0),
  reason TEXT NOT NULL, actor TEXT NOT NULL, at BIGINT NOT NULL
) {{clustered}};
CREATE INDEX stock_receipts_stock ON stock_receipts (stock_id, id);
{{append only stock_receipts (id)}}
CREATE TABLE reservations (
  id TEXT PRIMARY KEY, stock_id TEXT NOT NULL REFERENCES stocks(id), line_id TEXT NOT NULL, quantity BIGINT NOT NULL CHECK (quantity > 0),
  state TEXT NOT NULL CHECK (state IN ('live','consumed','released','expired','swapped','returned')), expires_at BIGINT NOT NULL, ended_at BIGINT NOT NULL,
  right_id TEXT NOT NULL, -- whom the unit is promised to, once its order is paid
  allotment TEXT NOT NULL DEFAULT '' -- the channel whose units they are; '' of what isn't allotted
) {{clustered}};
CREATE INDEX reservations_line ON reservations (line_id);
CREATE INDEX reservations_allotment ON reservations (stock_id, allotment) WHERE allotment <> '';
CREATE UNIQUE INDEX reservations_right ON reservations (right_id) WHERE right_id <> '' AND state = 'live';

-- Vault: secrets are sealed; blind is a keyed index of the canonical code.
CREATE TABLE vault_keys (
  id TEXT PRIMARY KEY, purpose TEXT NOT NULL CHECK (purpose IN ('data','index','generator','link')), master_id TEXT NOT NULL,
  nonce {{bytes}} NOT NULL, sealed {{bytes}} NOT NULL, state TEXT NOT NULL CHECK (state IN ('active','retiring','retired')), created_at BIGINT NOT NULL
) {{clustered}};
CREATE TABLE code_counters (key_id TEXT PRIMARY KEY, next BIGINT NOT NULL) {{clustered}};
-- A batch's codes are the series of ids that begins with first_code; a generated code's place in it follows from its counter.
-- Its counts are of its rows: stored = filling + available + delivered + voided + expired.
CREATE TABLE code_batches (
  id TEXT PRIMARY KEY, stock_id TEXT NOT NULL, source TEXT NOT NULL CHECK (source IN ('generated','imported')), name TEXT NOT NULL,
  issuer TEXT NOT NULL, supplier TEXT NOT NULL, format TEXT NOT NULL, size BIGINT NOT NULL, first_code TEXT NOT NULL UNIQUE,
  generator_key TEXT NOT NULL, first_counter BIGINT NOT NULL, state TEXT NOT NULL CHECK (state IN ('filling','ready','undone')),
  stored BIGINT NOT NULL, filling BIGINT NOT NULL CHECK (filling >= 0), available BIGINT NOT NULL CHECK (available >= 0),
  delivered BIGINT NOT NULL CHECK (delivered >= 0), voided BIGINT NOT NULL CHECK (voided >= 0), expired BIGINT NOT NULL CHECK (expired >= 0),
  cost_minor BIGINT NOT NULL CHECK (cost_minor >= 0), currency TEXT NOT NULL, expires_at BIGINT NOT NULL, created_at BIGINT NOT NULL, created_by TEXT NOT NULL,
  CHECK (stored = filling + available + delivered + voided + expired)
) {{clustered}};
CREATE INDEX code_batches_stock ON code_batches (stock_id, id);
CREATE INDEX code_batches_counter ON code_batches (generator_key, first_counter) WHERE source = 'generated';
CREATE TABLE codes (
  id TEXT PRIMARY KEY, batch_id TEXT NOT NULL, stock_id TEXT NOT NULL, blind {{bytes}} NOT NULL,
  key_id TEXT NOT NULL, sealed {{bytes}} NOT NULL, last4 TEXT NOT NULL, expires_at BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('filling','available','delivered','void','quarantined','expired')),
  right_id TEXT NOT NULL, delivered_at BIGINT NOT NULL
) {{clustered}};
CREATE INDEX codes_free ON codes (stock_id, id) WHERE state = 'available';
CREATE UNIQUE INDEX codes_right ON codes (right_id) WHERE right_id <> '';
CREATE INDEX codes_ending ON codes (expires_at, id) WHERE state = 'available' AND expires_at > 0;
-- Where the codes are that came from outside. The blind index covers the issuer too, so a code is there once an issuer.
CREATE TABLE code_index (blind {{bytes}} PRIMARY KEY, code_id TEXT NOT NULL) {{clustered}};
CREATE TABLE imports (
  id TEXT PRIMARY KEY, batch_id TEXT NOT NULL, stock_id TEXT NOT NULL, file_name TEXT NOT NULL, file_hash TEXT NOT NULL, file_size BIGINT NOT NULL,
  options TEXT NOT NULL, layout TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('receiving','received','checking','checked','running','releasing','paused','undoing','restoring','done','failed','cancelled','undone')),
  next_state TEXT NOT NULL, total_rows BIGINT NOT NULL, done_rows BIGINT NOT NULL, at_row BIGINT NOT NULL, rate BIGINT NOT NULL,
  added BIGINT NOT NULL, repeated BIGINT NOT NULL, known BIGINT NOT NULL, invalid BIGINT NOT NULL,
  message TEXT NOT NULL, created_at BIGINT NOT NULL, created_by TEXT NOT NULL, updated_at BIGINT NOT NULL, lease_until BIGINT NOT NULL, fence BIGINT NOT NULL
) {{clustered}};
CREATE INDEX imports_due ON imports (lease_until) WHERE state IN ('checking','running','releasing','undoing','restoring');
CREATE INDEX imports_hash ON imports (file_hash, id);
CREATE TABLE import_files (import_id TEXT NOT NULL, piece BIGINT NOT NULL, body {{bytes}} NOT NULL, PRIMARY KEY (import_id, piece)) {{clustered}};
CREATE TABLE import_problems (
  import_id TEXT NOT NULL, row_number BIGINT NOT NULL, column_number BIGINT NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL,
  PRIMARY KEY (import_id, row_number, column_number)
) {{clustered}};

-- Orders.
CREATE TABLE orders (
  id TEXT PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('pending','fulfilled','part','shortage','refunded','cancelled','expired')),
  party_id TEXT NOT NULL, phone TEXT NOT NULL, email TEXT NOT NULL, lang TEXT NOT NULL, channel TEXT NOT NULL,
  currency TEXT NOT NULL, total BIGINT NOT NULL CHECK (total >= 0),
  idem_scope TEXT NOT NULL, idem_key TEXT NOT NULL, request_hash {{bytes}} NOT NULL,
  created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, paid_at BIGINT NOT NULL, closed_at BIGINT NOT NULL,
  history TEXT NOT NULL
) {{clustered}};
CREATE UNIQUE INDEX orders_idempotent ON orders (idem_key, idem_scope);
CREATE INDEX orders_due ON orders (expires_at) WHERE state = 'pending';
CREATE INDEX orders_unusual ON orders (state, id) WHERE state IN ('part','shortage','refunded','cancelled','expired');
CREATE INDEX orders_party ON orders (party_id, id) WHERE party_id <> '';
CREATE INDEX orders_phone ON orders (phone, id, party_id) WHERE phone <> '';
CREATE INDEX orders_email ON orders (email, id) WHERE email <> '';
CREATE TABLE order_lines (
  id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders(id), offer_id TEXT NOT NULL, version_id TEXT NOT NULL,
  quantity BIGINT NOT NULL CHECK (quantity > 0), unit_price BIGINT NOT NULL CHECK (unit_price >= 0), amount BIGINT NOT NULL,
  quote TEXT NOT NULL, acknowledged TEXT NOT NULL, picks TEXT NOT NULL, delivered BIGINT NOT NULL, refunded BIGINT NOT NULL,
  counted BIGINT NOT NULL, under TEXT NOT NULL, -- purchase limits: the units that count now, and the tallies they count under
  CHECK (amount = quantity * unit_price), CHECK (delivered + refunded <= quantity), CHECK (counted >= 0 AND counted <= quantity)
) {{clustered}};
CREATE INDEX order_lines_order ON order_lines (order_id);
CREATE TABLE order_acknowledgements (
  order_id TEXT PRIMARY KEY REFERENCES orders(id), hash TEXT NOT NULL, body TEXT NOT NULL, lang TEXT NOT NULL, at BIGINT NOT NULL
) {{clustered}};
{{append only order_acknowledgements (order_id)}}
-- What buyers accepted, once however many did: order_lines.acknowledged is the hash, SHA-256 of the body in hexadecimal.
CREATE TABLE order_terms (
  hash TEXT PRIMARY KEY CHECK (length(hash) = 64), lang TEXT NOT NULL, body TEXT NOT NULL, kept_at BIGINT NOT NULL
) {{clustered}};
{{append only order_terms (hash)}}
CREATE TABLE order_tallies (name TEXT PRIMARY KEY, taken BIGINT NOT NULL CHECK (taken >= 0)) {{clustered}};

-- Waiting rooms: where each is let in to, how many wait by millisecond and node, since when who is let in, and the orders that tickets placed.
CREATE TABLE waiting_rooms (
  offer_id TEXT PRIMARY KEY, frontier BIGINT NOT NULL, admitted BIGINT NOT NULL, per_minute BIGINT NOT NULL CHECK (per_minute >= 0), paused BIGINT NOT NULL, moved_at BIGINT NOT NULL, saved BIGINT NOT NULL
) {{clustered}};
CREATE TABLE waiting_counts (offer_id TEXT NOT NULL, node TEXT NOT NULL, bucket BIGINT NOT NULL, tickets BIGINT NOT NULL, PRIMARY KEY (offer_id, node, bucket)) {{clustered}};
CREATE TABLE waiting_steps (offer_id TEXT NOT NULL, at BIGINT NOT NULL, frontier BIGINT NOT NULL, PRIMARY KEY (offer_id, at)) {{clustered}};
CREATE TABLE waiting_uses (ticket TEXT PRIMARY KEY, offer_id TEXT NOT NULL, order_id TEXT NOT NULL, at BIGINT NOT NULL) {{clustered}};

-- Payment.
CREATE TABLE payment_intents (
  id TEXT PRIMARY KEY, order_id TEXT NOT NULL, gateway TEXT NOT NULL, amount BIGINT NOT NULL, currency TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending','captured','closed')), created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  polled_at BIGINT NOT NULL
) {{clustered}};
CREATE UNIQUE INDEX payment_intents_live ON payment_intents (order_id) WHERE state = 'pending';
CREATE INDEX payment_intents_order ON payment_intents (order_id);
CREATE TABLE payment_captures (
  id TEXT PRIMARY KEY, provider TEXT NOT NULL, txn_id TEXT NOT NULL, intent_id TEXT NOT NULL, order_id TEXT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0), currency TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('applied','suspense')),
  reason TEXT NOT NULL, occurred_at BIGINT NOT NULL, booked_at BIGINT NOT NULL
) {{clustered}};
CREATE UNIQUE INDEX payment_captures_txn ON payment_captures (provider, txn_id);
CREATE INDEX payment_captures_order ON payment_captures (order_id);
{{append only payment_captures (id) (provider, txn_id)}}
CREATE TABLE payment_notices (
  id TEXT PRIMARY KEY, provider TEXT NOT NULL, event_id TEXT NOT NULL, intent_id TEXT NOT NULL, outcome TEXT NOT NULL,
  header TEXT NOT NULL, body {{bytes}} NOT NULL, received_at BIGINT NOT NULL
) {{clustered}};
CREATE UNIQUE INDEX payment_notices_event ON payment_notices (provider, event_id);
CREATE INDEX payment_notices_intent ON payment_notices (intent_id);
CREATE TABLE refunds (
  id TEXT PRIMARY KEY, order_id TEXT NOT NULL, line_id TEXT NOT NULL, capture_id TEXT NOT NULL, provider TEXT NOT NULL, quantity BIGINT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0), currency TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting','sent','done','failed')), reason TEXT NOT NULL, attempts BIGINT NOT NULL,
  next_at BIGINT NOT NULL, lease_until BIGINT NOT NULL, fence BIGINT NOT NULL, note TEXT NOT NULL, created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL, done_at BIGINT NOT NULL, failed_at BIGINT NOT NULL, again_of TEXT NOT NULL,
  by_hand TEXT NOT NULL CHECK (by_hand IN ('','bank','gateway')), reference TEXT NOT NULL, CHECK (by_hand = '' OR state = 'done')
) {{clustered}};
CREATE UNIQUE INDEX refunds_again ON refunds (again_of) WHERE again_of <> '';
CREATE INDEX refunds_order ON refunds (order_id);
CREATE INDEX refunds_capture ON refunds (capture_id);
CREATE INDEX refunds_due ON refunds (next_at) WHERE state IN ('waiting','sent');

-- Entitlement: what a person holds, and each step of its path.
CREATE TABLE rights (
  id TEXT PRIMARY KEY, order_id TEXT NOT NULL, line_id TEXT NOT NULL, part BIGINT NOT NULL, benefit_id TEXT NOT NULL, version_id TEXT NOT NULL,
  party_id TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('waiting','held','revealed','used','suspended','expired','refunded')),
  code_id TEXT NOT NULL, starts_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, steps BIGINT NOT NULL, head {{bytes}} NOT NULL, granted_at BIGINT NOT NULL,
  unit BIGINT NOT NULL, nth BIGINT NOT NULL, share BIGINT NOT NULL CHECK (share >= 0), -- of the unit's price, in the order's currency
  waits TEXT NOT NULL, due_at BIGINT NOT NULL, clock TEXT NOT NULL, CHECK ((waits <> '') = (state = 'waiting'))
) {{clustered}};
CREATE INDEX rights_order ON rights (order_id);
CREATE INDEX rights_due ON rights (due_at, id) WHERE due_at > 0;
CREATE INDEX rights_party ON rights (party_id, id{{covering state, version_id, part, starts_at, ends_at, code_id, waits}}) WHERE party_id <> '';
CREATE TABLE right_events (
  right_id TEXT NOT NULL, step BIGINT NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL, data TEXT NOT NULL, at BIGINT NOT NULL, hash {{bytes}} NOT NULL,
  PRIMARY KEY (right_id, step)
) {{clustered}};
{{append only right_events (right_id, step)}}

-- Ledger: a transfer moves an amount from one account's credit side to another's debit side, so the books balance row by row.
CREATE TABLE ledger_accounts (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('asset','liability','income','expense','equity')), currency TEXT NOT NULL,
  overdraft BIGINT NOT NULL, created_at BIGINT NOT NULL
) {{clustered}};
CREATE TABLE ledger_transfers (
  entry_id TEXT NOT NULL, leg BIGINT NOT NULL, debit TEXT NOT NULL REFERENCES ledger_accounts(id), credit TEXT NOT NULL REFERENCES ledger_accounts(id),
  amount BIGINT NOT NULL CHECK (amount > 0), currency TEXT NOT NULL, kind TEXT NOT NULL, order_id TEXT NOT NULL, at BIGINT NOT NULL,
  chain TEXT NOT NULL, seal BIGINT NOT NULL, PRIMARY KEY (entry_id, leg), CHECK (debit <> credit)
) {{clustered}};
-- The amount is there so that a balance is summed from the index alone.
CREATE INDEX ledger_transfers_debit ON ledger_transfers (debit, entry_id, amount);
CREATE INDEX ledger_transfers_credit ON ledger_transfers (credit, entry_id, amount);
{{append only ledger_transfers (entry_id, leg)}}
CREATE TABLE ledger_seals (
  chain TEXT NOT NULL, seal BIGINT NOT NULL, transfers BIGINT NOT NULL, hash {{bytes}} NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (chain, seal)
) {{clustered}};
{{append only ledger_seals (chain, seal)}}

-- Work to be done after a commit.
CREATE TABLE jobs (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, payload TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('ready','running','done','dead')), run_at BIGINT NOT NULL, attempts BIGINT NOT NULL,
  lease_until BIGINT NOT NULL, fence BIGINT NOT NULL, error TEXT NOT NULL, created_at BIGINT NOT NULL, done_at BIGINT NOT NULL
) {{clustered}};
CREATE INDEX jobs_due ON jobs (run_at) WHERE state IN ('ready','running');
CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';

-- Audit: one hash chain; its head is locked by whoever adds to it.
CREATE TABLE audit_heads (chain TEXT PRIMARY KEY, seq BIGINT NOT NULL, hash {{bytes}} NOT NULL) {{clustered}};
CREATE TABLE audit_rows (
  chain TEXT NOT NULL, seq BIGINT NOT NULL, id TEXT NOT NULL UNIQUE, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
  origin TEXT NOT NULL, result TEXT NOT NULL, data TEXT NOT NULL, hash {{bytes}} NOT NULL, PRIMARY KEY (chain, seq)
) {{clustered}};
CREATE INDEX audit_rows_subject ON audit_rows (subject, seq);
{{append only audit_rows (chain, seq) (id)}}

-- What needs a person: the exceptions queue.
CREATE TABLE exceptions (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, order_id TEXT NOT NULL, detail TEXT NOT NULL, amount BIGINT NOT NULL, currency TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open','closed')), owner TEXT NOT NULL, note TEXT NOT NULL, opened_at BIGINT NOT NULL, closed_at BIGINT NOT NULL, closed_by TEXT NOT NULL
) {{clustered}};
CREATE UNIQUE INDEX exceptions_subject ON exceptions (kind, subject);
CREATE INDEX exceptions_open ON exceptions (opened_at) WHERE state = 'open';
CREATE INDEX exceptions_kinds ON exceptions (kind) WHERE state = 'open';

-- Identity.
CREATE TABLE parties (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('shopper','staff')), name TEXT NOT NULL, phone TEXT NOT NULL, email TEXT NOT NULL,
  lang TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('active','disabled')), created_at BIGINT NOT NULL,
  level TEXT NOT NULL, tags TEXT NOT NULL, region TEXT NOT NULL, -- of a customer; tags stand between line ends
  active_day BIGINT NOT NULL, active_bits BIGINT NOT NULL -- the last day seen, and of it and the 29 days before, which
) {{clustered}};
CREATE UNIQUE INDEX parties_phone ON parties (phone) WHERE phone <> '' AND kind = 'shopper';
CREATE UNIQUE INDEX parties_email ON parties (email) WHERE email <> '' AND kind = 'shopper';
CREATE UNIQUE INDEX parties_staff_email ON parties (email) WHERE kind = 'staff';
CREATE TABLE staff (
  party_id TEXT PRIMARY KEY REFERENCES parties(id), roles TEXT NOT NULL, password TEXT NOT NULL, totp {{bytes}} NOT NULL, totp_key TEXT NOT NULL,
  totp_step BIGINT NOT NULL, recovery TEXT NOT NULL, updated_at BIGINT NOT NULL
) {{clustered}};
CREATE TABLE first_start (name TEXT PRIMARY KEY, token_hash {{bytes}} NOT NULL, closed_at BIGINT NOT NULL) {{clustered}};
CREATE TABLE invitations (
  token_hash {{bytes}} PRIMARY KEY, party_id TEXT NOT NULL REFERENCES parties(id), created_by TEXT NOT NULL, created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL, used_at BIGINT NOT NULL
) {{clustered}};
CREATE INDEX invitations_party ON invitations (party_id);
CREATE TABLE sessions (
  token_hash {{bytes}} PRIMARY KEY, id TEXT NOT NULL UNIQUE, party_id TEXT NOT NULL REFERENCES parties(id),
  face TEXT NOT NULL CHECK (face IN ('shop','console')), stage TEXT NOT NULL CHECK (stage IN ('second','enrol','full')),
  created_at BIGINT NOT NULL, seen_at BIGINT NOT NULL, confirmed_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, origin TEXT NOT NULL, agent TEXT NOT NULL
) {{clustered}};
CREATE INDEX sessions_party ON sessions (party_id);
CREATE INDEX sessions_end ON sessions (expires_at);
CREATE TABLE one_time_codes (
  id TEXT PRIMARY KEY, purpose TEXT NOT NULL, target TEXT NOT NULL, hash {{bytes}} NOT NULL, tries BIGINT NOT NULL, used_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL
) {{clustered}};
CREATE INDEX one_time_codes_end ON one_time_codes (expires_at);

-- How often something was done: the limiter's buckets.
CREATE TABLE attempts (
  bucket TEXT PRIMARY KEY, hits TEXT NOT NULL, told_until BIGINT NOT NULL, ends_at BIGINT NOT NULL
) {{clustered}};
CREATE INDEX attempts_end ON attempts (ends_at);

-- Settings, and the answers to requests that may be sent again.
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at BIGINT NOT NULL) {{clustered}};
-- What one person wants of a setting that limits the staff, until another wants the same.
CREATE TABLE setting_proposals (name TEXT PRIMARY KEY, value TEXT NOT NULL, proposed_by TEXT NOT NULL, proposed_at BIGINT NOT NULL) {{clustered}};
CREATE TABLE idempotency (
  scope TEXT NOT NULL, key TEXT NOT NULL, request_hash {{bytes}} NOT NULL, status BIGINT NOT NULL, response {{bytes}} NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (scope, key)
) {{clustered}};
CREATE INDEX idempotency_at ON idempotency (at);

-- Read models. What rules ask of customers, for counting who qualifies: those with ids in a stretch, packed in one row; to_id is its last id, '' while it is open.
CREATE TABLE insight_customers (after_id TEXT PRIMARY KEY, to_id TEXT NOT NULL, facts {{bytes}} NOT NULL);
-- How far a read model is: the last key looked at, when this walk began, and from when on every row is as told.
CREATE TABLE insight_walks (name TEXT PRIMARY KEY, at_key TEXT NOT NULL, began_at BIGINT NOT NULL, as_of BIGINT NOT NULL) {{clustered}};

-- Messages to people.
CREATE TABLE notifications (
  id TEXT PRIMARY KEY, channel TEXT NOT NULL, target TEXT NOT NULL, template TEXT NOT NULL, lang TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
  order_id TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('sent','failed')), at BIGINT NOT NULL
) {{clustered}};
CREATE INDEX notifications_order ON notifications (order_id) WHERE order_id <> '';
