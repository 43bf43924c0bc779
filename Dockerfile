FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY . .
RUN python -m venv /opt/linepulse && /opt/linepulse/bin/pip install -c constraints.txt .

FROM python:3.11-slim
COPY --from=build /opt/linepulse /opt/linepulse
ENV PATH=/opt/linepulse/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --system --uid 10001 --create-home --home-dir /app linepulse
WORKDIR /app
USER linepulse
ENTRYPOINT ["linepulse"]
CMD ["--help"]
