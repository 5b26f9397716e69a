FROM eclipse-temurin:17-jdk AS build
WORKDIR /src
COPY . .
RUN ./mvnw -q -B -pl cqrs-tools,examples/shop -am -DskipTests package

FROM eclipse-temurin:17-jre
RUN useradd --system --uid 10001 cqrs
COPY --from=build /src/cqrs-tools/target/cqrs.jar /app/cqrs.jar
COPY --from=build /src/examples/shop/target/cqrs-example-shop-0.1.0-SNAPSHOT.jar /app/shop.jar
RUN printf '#!/bin/sh\nexec java -XX:+UseSerialGC -XX:MaxRAMPercentage=75 ${CQRS_JAVA_OPTS:-} -jar /app/cqrs.jar "$@"\n' \
      > /usr/local/bin/cqrs && chmod 755 /usr/local/bin/cqrs
USER cqrs
WORKDIR /app
# Asks database and broker, in little memory beside what runs already.
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s \
  CMD ["java", "-Xmx48m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", "/app/cqrs.jar", "status"]
# The JVM takes the shell's place as the process itself: signals reach it, and it drains before it ends.
ENTRYPOINT ["cqrs"]
CMD ["--help"]
