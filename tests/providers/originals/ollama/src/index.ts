export { OllamaDockerProvider as default } from './OllamaDockerProvider';
