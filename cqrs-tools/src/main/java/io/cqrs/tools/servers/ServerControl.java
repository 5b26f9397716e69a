package io.cqrs.tools.servers;

/** What can be done to a server. */
interface ServerControl {

    /** Of a server that somebody else runs. */
    ServerControl NOT_OURS = new ServerControl() {
        @Override
        public void stop() {
            throw notOurs("stop");
        }

        @Override
        public void kill() {
            throw notOurs("kill");
        }

        @Override
        public void start() {
            throw notOurs("start");
        }

        @Override
        public void pause() {
            throw notOurs("pause");
        }

        @Override
        public void resume() {
            throw notOurs("resume");
        }

        private ServerException notOurs(String what) {
            return new ServerException("the server is not ours to " + what, null);
        }
    };

    void stop();

    void kill();

    void start();

    void pause();

    void resume();
}
