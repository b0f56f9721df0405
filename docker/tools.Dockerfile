# The image of the relay, of `provision` and of the operator's verbs, built from the project's root:
# docker build -f docker/tools.Dockerfile .
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
COPY requirements/prod.txt /requirements.txt
RUN python3 -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary=:all: -r /requirements.txt \
    && /venv/bin/pip uninstall --quiet --yes pip setuptools
WORKDIR /app
COPY manage.py ./
COPY cli cli
COPY shared shared
COPY services services
COPY gateway gateway
# Nothing can be written where it runs; a start would compile every module anew.
RUN python3 -m compileall -q --invalidation-mode unchecked-hash . && chmod -R a+rX .
RUN mkdir -p /keys/jwt-private /keys/jwt-public /keys/audit-seal

FROM ${PYTHON_IMAGE}
COPY --from=build /venv /venv
COPY --from=build /app /app
# An empty volume takes the owner of the folder that it is mounted over.
COPY --from=build --chown=10001:10001 /keys /keys
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HEALTH_DIR=/run/nexus
USER 10001:10001
HEALTHCHECK CMD ["python3", "manage.py", "health"]
ENTRYPOINT ["python3", "manage.py"]
CMD ["help"]
