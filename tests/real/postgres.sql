-- SPDX-License-Identifier: MIT
-- Makes the same data at every run, text and bytea of a few bytes to 2 MiB, and prints digests of
-- them that pass through sorts, hash tables, compression and long results.
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
drop table if exists buffers;
create table buffers (id int primary key, words text, body bytea);
insert into buffers
  select i, repeat(md5(i::text), 1 + (i * i) % 700),
         decode(repeat(md5((i + 7)::text), 1 + (i * 37) % 900), 'hex')
  from generate_series(1, 1500) i;
insert into buffers
  select 10000 + i, repeat(md5(i::text), 1 << (10 + i)), decode(repeat(md5(i::text), 1 << i), 'hex')
  from generate_series(1, 6) i;
update buffers set words = words || reverse(words) where id % 3 = 0;
delete from buffers where id % 11 = 0;
set work_mem = '64MB';
select count(*), sum(length(words)), sum(length(body)) from buffers;
select md5(string_agg(words, ',' order by md5(body), id)) from buffers;
select md5(string_agg(md5(body), ',' order by words desc, id)) from buffers;
select md5(string_agg(encode(body, 'base64'), '' order by id)) from buffers where id > 10000;
select count(*), md5(min(a.words)) from buffers a join buffers b on md5(a.words) = md5(b.words);
select id, words from buffers where id % 100 = 1 order by id;
