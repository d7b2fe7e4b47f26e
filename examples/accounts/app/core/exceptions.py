"""What can go wrong, each with the status and the code of its answer."""


class AppError(Exception):
    status: int
    code: str

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AuthRequiredError(AppError):
    status = 401
    code = "AUTH_REQUIRED"


class InvalidCredentialsError(AppError):
    status = 401
    code = "AUTH_INVALID_CREDENTIALS"


class ForbiddenError(AppError):
    status = 403
    code = "FORBIDDEN"


class NotFoundError(AppError):
    status = 404
    code = "NOT_FOUND"


class ConflictError(AppError):
    status = 409
    code = "CONFLICT"


class CommonPasswordError(AppError):
    status = 422
    code = "PASSWORD_TOO_COMMON"


class UnavailableError(AppError):
    status = 503
    code = "UNAVAILABLE"
