"""One exception tree. The first line of an exception's docstring is its message; `detail` says what was refused."""

from __future__ import annotations

from typing import ClassVar


class ReknitError(Exception):
    """Reknit could not do what was asked."""

    exit_code: ClassVar[int] = 1

    def __init__(self, detail: str = "") -> None:
        doc = type(self).__doc__ or ReknitError.__name__
        title = doc.strip().splitlines()[0].rstrip(".")
        super().__init__(f"{title}: {detail}" if detail else f"{title}.")
        self.title = title
        self.detail = detail


class InputError(ReknitError):
    """The input cannot be used."""

    exit_code: ClassVar[int] = 2


class NotAVideoError(InputError):
    """This is not a video that can be decoded."""


class NotAnImageError(InputError):
    """This is not an image that can be decoded."""


class ImageTooLargeError(InputError):
    """The image is too large."""


class NoPersonError(InputError):
    """No person was found in the picture."""


class UnknownTrackletError(InputError):
    """There is no such tracklet."""


class UnknownCropError(InputError):
    """There is no such crop."""


class UnknownCameraError(InputError):
    """There is no such camera."""


class SiteFileError(InputError):
    """The site file cannot be used."""


class MotFileError(InputError):
    """The MOTChallenge file cannot be used."""


class GroundTruthError(InputError):
    """The ground truth does not fit what is stored."""


class DatasetError(InputError):
    """The dataset cannot be used."""


class FeaturesError(InputError):
    """The features cannot be scored."""


class FusionHarnessError(InputError):
    """The fusion harness cannot run like that."""


class DemoFolderError(InputError):
    """The demo cannot use this data folder."""


class OutputError(InputError):
    """The result cannot be written."""


class ExportError(InputError):
    """This cannot be exported."""


class WeightsError(InputError):
    """The weights cannot be used."""


class SimulationSettingsError(InputError):
    """A site cannot be simulated like that."""


class SimulationError(ReknitError):
    """The site could not be simulated."""


class SchemaVersionError(InputError):
    """The database does not fit this version of Reknit."""


class StorageFullError(ReknitError):
    """There is no space left to store to."""


class StorageError(ReknitError):
    """The storage cannot be used."""


class AlreadyStoredError(StorageError):
    """This is stored already."""


class NoGenerationError(InputError):
    """Nothing has been ingested yet, so there is nothing to search."""


class NotSearchableError(InputError):
    """The tracklet has no vector in the generation that answers."""


class ModelMismatchError(ReknitError):
    """The embedder at hand is not the one whose vectors are searched."""


class ListenError(InputError):
    """The service cannot listen there."""


class UnknownJobError(InputError):
    """There is no such job."""


class JobStateError(InputError):
    """This cannot be done with a job that stands there."""


class FeedbackError(InputError):
    """Feedback cannot be given like that."""


class UnknownFeedbackError(InputError):
    """There is no such feedback."""


class UnknownJourneyError(InputError):
    """There is no such journey."""


class UnknownJourneyEventError(InputError):
    """There is no such merge or split of journeys."""


class JourneyStateError(InputError):
    """This cannot be done with journeys that stand there."""


class ImpossibleJourneyError(InputError):
    """One person cannot have been in both."""


class ScheduleError(InputError):
    """The schedule cannot be read."""


class WorkerBusyError(InputError):
    """A worker of that name is at work on this data folder already."""


class JobFailedError(ReknitError):
    """The job did not succeed."""


class StepFailedError(ReknitError):
    """The step of a job could not be done."""


class UnknownModelError(InputError):
    """There is no such model."""


class UnknownGenerationError(InputError):
    """There is no such generation."""


class ModelFilesError(ReknitError):
    """The model's files cannot be used."""


class MissingVectorsError(InputError):
    """The generation cannot answer yet, because vectors are missing."""


class NoWayBackError(InputError):
    """There is no generation to go back to."""


class OutrunError(ReknitError):
    """Another generation was promoted meanwhile."""


class BackfillError(ReknitError):
    """The stored tracklets could not be embedded anew."""


class BackfillStoppedError(ReknitError):
    """The embedding of stored tracklets was stopped; it goes on where it was left."""


class TrackletSetError(InputError):
    """The tracklets to learn from cannot be read."""


class TooLittleToLearnError(InputError):
    """There is too little to learn from."""


class RecipeError(InputError):
    """The learning recipe cannot be used."""


class LearningError(ReknitError):
    """Learning came to nothing."""


class LearningDivergedError(LearningError):
    """The loss is no longer a number."""


class LearningMemoryError(LearningError):
    """There is not enough memory to learn, even with the smallest batch."""


class CheckpointError(LearningError):
    """The checkpoint cannot be used."""


class CalibrationError(LearningError):
    """There is nothing here to calibrate probabilities by."""


class NotCalibratedError(InputError):
    """The generation that answers has no calibration, so it cannot say how sure it is."""


class NoTransitModelError(InputError):
    """The generation that answers has no transit model."""
