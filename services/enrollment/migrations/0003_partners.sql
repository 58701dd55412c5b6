-- Who was ever offered to whom as a tandem, as the matching service says: those two may know each other's name and address. A
-- replay builds it anew.
create table partners (
    tandem_id        uuid primary key,
    mentor_person_id uuid not null,
    mentee_person_id uuid not null
);

create index partners_of_mentor on partners (mentor_person_id);
create index partners_of_mentee on partners (mentee_person_id);
