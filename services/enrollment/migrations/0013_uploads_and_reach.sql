-- An upload is numbered behind everything that was said of the people of its source.
drop sequence roster_uploads;
