-- +goose Up

-- Lists what a person voted for, newest first, from the index alone.
CREATE INDEX votes_person_id_idx ON product.votes (person_id, created_at DESC, product_id DESC);
