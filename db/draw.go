package db

// createDraw makes functions of the session that draw made-up data. What they draw follows from the key and n, so that
// it is the same in every database.
//
//	draw    a number from 0 to below - 1
//	pick    a word of a list, the first ones far more often than the last
//	folder  a person's name, of which nearly all are rare
const createDraw = `
	CREATE OR REPLACE FUNCTION pg_temp.draw(key bigint, n bigint, below bigint) RETURNS bigint LANGUAGE sql AS $$
	    SELECT (hashint8extended(key, n) & x'7fffffffffffffff'::bigint) % below
	$$;
	CREATE OR REPLACE FUNCTION pg_temp.pick(words jsonb, list text, key bigint, n bigint) RETURNS text LANGUAGE sql AS $$
	    SELECT words -> list ->> floor(
	               pow(pg_temp.draw(key, n, 1000000) / 1e6::float8, 3) * jsonb_array_length(words -> list))::integer
	$$;
	CREATE OR REPLACE FUNCTION pg_temp.folder(words jsonb, key bigint, n bigint) RETURNS text LANGUAGE sql AS $$
	    SELECT pg_temp.pick(words, 'first', key, n) || pg_temp.pick(words, 'middle', key, n + 1)
	           || pg_temp.pick(words, 'last', key, n + 2)
	$$`
