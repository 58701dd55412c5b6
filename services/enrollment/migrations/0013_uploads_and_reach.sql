-- An upload is numbered behind everything that was said of the people of its source.
drop sequence roster_uploads;

-- Who stands above whom is read off the reporting line.
drop function stands_above(uuid, uuid, integer);
