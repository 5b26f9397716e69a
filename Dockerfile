FROM eclipse-temurin:17-jdk AS build
WORKDIR /src
COPY . .
RUN ./mvnw -q -B -pl cqrs-tools,examples/shop -am -DskipTests package

FROM eclipse-temurin:17-jre
RUN useradd --system --uid 10001 cqrs
COPY --from=build /src/cqrs-tools/target/cqrs.jar /app/cqrs.jar
COPY --from=build /src/examples/shop/target/cqrs-example-shop-0.1.0-SNAPSHOT.jar /app/shop.jar
USER cqrs
# The JVM is the process itself: signals reach it, and it drains before it ends.
ENTRYPOINT ["java", "-XX:+UseSerialGC", "-XX:MaxRAMPercentage=75", "-jar", "/app/cqrs.jar"]
CMD ["--help"]
