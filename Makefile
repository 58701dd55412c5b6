# `make run` and `make test` are all there is to know; both install what is missing and say so.

.PHONY: run demo test soak check buf audit record bench bench-directory bench-eventlog bench-matching prepare

run: prepare
	cargo run --package updraft -- run --demonstration --identity-page

# Plays the demonstration anew in a directory of its own, and prints the report.
demo: prepare
	cargo run --package updraft -- demo

# A failed assertion says where it stands; a hundred frames around it would hide what it says.
test: prepare check buf audit
	deploy/tool nats-server --version
	deploy/tool scim --help >/dev/null
	deploy/hris-client/install
	RUST_BACKTRACE=0 cargo test --workspace

# The races of the event log with many more writers and for minutes, how soon its followers are served, and what else takes minutes.
soak: prepare
	cargo test --package eventlog --package it --test it -- --ignored --nocapture --test-threads=1

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --quiet

# The interfaces keep their style, and neither the wire nor the stored history breaks.
buf:
	deploy/tool buf lint proto
	deploy/tool buf breaking proto --against proto/recorded.binpb

# Licences and sources of every dependency; advisories need a database from outside.
audit:
	deploy/tool cargo-deny --locked --config .cargo/deny.toml check licenses bans sources

# Records the interfaces as they are now, from here on they may only grow, and every event as it is written now.
record: prepare
	deploy/tool buf build proto --exclude-source-info --output proto/recorded.binpb
	UPDRAFT_RECORD_HISTORY=yes cargo test --package it --test it -- --exact history::every_event_is_recorded_in_its_form_of_today

# Benchmarks; each prints its ratio against a limit or a peer of the same run.
bench: bench-eventlog bench-matching bench-directory

# The event log beside the limit of its server and beside its peers, which are installed when missing.
bench-eventlog: prepare
	peers=$$(tests/bench/eventlog/peers/install) && UPDRAFT_PEERS=$$peers cargo bench --package bench --bench eventlog

# The matching solver against its peers, which are installed first; QUICK=1 takes small instances.
bench-matching:
	peers=$$(tests/bench/matching/peers/install) && cargo build --release --package bench-matching && \
		cargo run --quiet --release --package bench-matching -- "$$peers" target/bench-matching $(if $(QUICK),quick,$(PART))

# The directory of 100,000 people beside a bare COPY of the same rows.
bench-directory: prepare
	cargo bench --package bench --bench directory

prepare:
	deploy/prepare
