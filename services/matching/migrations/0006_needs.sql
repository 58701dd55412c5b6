-- What a side needed to know is over once it has accepted.
update tandems set mentor_need = null where mentor_accepted and mentor_need is not null;
update tandems set mentee_need = null where mentee_accepted and mentee_need is not null;
