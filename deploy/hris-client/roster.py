"""Workers from a CSV export, one at a time, so that a large file needs no more memory than a small one.

This is the part to write anew for another HR system: whatever it exports becomes a Worker.
"""

import csv

from updraft.hris.v1 import hris_pb2

# Which columns are understood, and which have to be there. Whatever else the export has stays where it is.
REQUIRED = ("employee_number", "given_name", "family_name", "email")


class BadExport(Exception):
    """The file is not the export that is expected."""


def workers(path, version):
    """Reads workers; the version orders this export among all that the source has ever sent."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        lines = csv.DictReader(file, strict=True)
        missing = [column for column in REQUIRED if column not in (lines.fieldnames or ())]
        if missing:
            raise BadExport(f"{path} has no column {', '.join(missing)}")
        try:
            for line in lines:
                if None in line or None in line.values():
                    raise BadExport(f"{path}, line {lines.line_num}: it has not as many fields as the header")
                yield worker(line, version)
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadExport(f"{path}, after line {lines.line_num}: {error}") from error


def worker(line, version):
    """One worker. The personnel number is the key: in this export it never changes and is never given to somebody else."""
    department = line.get("department", "")
    return hris_pb2.Worker(
        external_id=line["employee_number"],
        source_version=version,
        employee_number=line["employee_number"],
        given_name=line["given_name"],
        family_name=line["family_name"],
        email=line["email"],
        job_title=line.get("job_title", ""),
        org_unit_path=[department] if department else [],
        manager_external_id=line.get("manager_employee_number", ""),
        hire_date=line.get("hire_date", ""),
        birth_date=line.get("birth_date", ""),
    )
