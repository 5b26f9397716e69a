package io.cqrs.it.transport;

import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.Transport;

class InMemoryTransportIT extends TransportContract {

    @Override
    Transport open() {
        return new InMemoryTransport();
    }
}
