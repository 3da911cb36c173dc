"""A stored site whose generation is calibrated and knows of time, without a promotion."""

from __future__ import annotations

from sqlalchemy import update
from transits import a_calibration, a_transit_model

from services.bootstrap import open_database
from services.storage.documents import CalibrationRepository, TransitModelRepository
from services.storage.tables import GenerationRow


def calibrate(site, *, transit=True, calibration=True, zones=None, **curve):
    """Give the current generation a transit model and a calibration, as a promotion would."""
    model = a_transit_model("gate", "hall", walk_s=3600.0, span_s=14_400.0, zones=zones)
    learned = a_calibration(span_s=None, **curve)
    values = {}
    with open_database(site.settings) as database, database.write() as session:
        if transit:
            TransitModelRepository(session).ensure(model.transit_id, model.to_json())
            values["transit_id"] = model.transit_id
        if calibration:
            CalibrationRepository(session).ensure(learned.calibration_id, learned.to_json())
            values["calibration_id"] = learned.calibration_id
        session.execute(update(GenerationRow).values(**values))
    return values
